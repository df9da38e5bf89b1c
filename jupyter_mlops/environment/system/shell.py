"""The programs that shell commands call, as far as their text says."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

#: Words of the shell itself: no program is started for them.
BUILTINS = frozenset(
    """
    . : [ [[ alias bg bind break builtin cd command compgen complete continue declare dirs disown
    echo enable eval exec exit export false fc fg getopts hash help history jobs let local logout
    popd printf pushd pwd read readonly return set shift shopt source suspend test times trap true
    type typeset ulimit umask unalias unset wait
    """.split()
)
_KEYWORDS = frozenset("if then elif else fi do done while until ! { } time coproc".split())
#: What follows is up to the next separator no command: ``for x in a b``.
_HEADERS = frozenset("for case select function in esac".split())
#: Programs that start another one, which their arguments name.
_STARTERS = frozenset("sudo env nohup nice ionice xargs timeout stdbuf setsid exec command".split())
_PUNCTUATION = "();<>|&\n"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PROGRAM = re.compile(r"(?:/(?:usr/)?(?:local/)?s?bin/)?([A-Za-z0-9_][\w.+-]*)")
_HEREDOC = re.compile(r"(<<-?\s*['\"]?(\w+)['\"]?[^\n]*\n).*?^\s*\2\s*$", re.DOTALL | re.MULTILINE)
_FUNCTION = re.compile(r"^\s*(?:function\s+)?([\w-]+)\s*\(\s*\)", re.MULTILINE)
_SUBSTITUTIONS = (re.compile(r"\$\(([^()]*)\)"), re.compile(r"`([^`]*)`"))
_SINGLE_QUOTED = re.compile(r"'[^']*'")
#: Stands for a part of a text that is only known at run time.
UNKNOWN = "\0"


def programs(text: str) -> list[str]:
    """Return the names of the programs in shell text, each once, in their order.

    Words of the shell, functions that the text defines, scripts given by a path, and names that
    only a run knows are left out.
    """
    text = _HEREDOC.sub(r"\1", text.replace("\\\n", " "))
    own = set(_FUNCTION.findall(text))
    found: dict[str, None] = {}
    for part in [text, *_substituted(text)]:
        for word in _commands(part):
            match = _PROGRAM.fullmatch(word)
            name = match[1] if match else ""
            if name and name not in BUILTINS and name not in own and not name.isdigit():
                found[name] = None
    return list(found)


def _substituted(text: str) -> list[str]:
    plain = _SINGLE_QUOTED.sub("''", text)
    return [part for pattern in _SUBSTITUTIONS for part in pattern.findall(plain)]


def _commands(text: str) -> list[str]:
    """Return each word that stands where a command begins."""
    found: list[str] = []
    begins, header, redirected, depth = True, False, False, 0
    for word, following in pairwise([*_words(text), "\n"]):
        if set(word) <= set(_PUNCTUATION):
            depth = max(0, depth + word.count("(") - word.count(")"))
            if "<" in word or ">" in word:
                redirected = True
            else:
                begins, header, redirected = True, False, False
        elif following.startswith(")") and not depth:
            continue  # a pattern of a ``case``
        elif redirected:
            redirected = False
        elif header or not begins:
            header = header and word != "in"
        elif word in _HEADERS:
            header = True
        elif word not in _KEYWORDS and not _is_prefix(word, found):
            found.append(word)
            begins = word in _STARTERS
    return found


def _is_prefix(word: str, found: list[str]) -> bool:
    """Tell whether a word precedes the command: ``A=b``, or an option of what starts it."""
    return bool(_ASSIGNMENT.match(word)) or (
        bool(found) and found[-1] in _STARTERS and (word.startswith("-") or word[:1].isdigit())
    )


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace = " \t\r"
    lexer.commenters = ""  # within a word it is none: it is looked for below
    lexer.whitespace_split = False
    lexer.wordchars += "%@^,:+{}[]$!#" + UNKNOWN
    try:
        words = list(lexer)
    except ValueError:  # a quote that does not end
        words = re.findall(rf"[{re.escape(_PUNCTUATION)}]+|[^\s{re.escape(_PUNCTUATION)}]+", text)
    found, comment = [], False
    for word in words:
        if "\n" in word and set(word) <= set(_PUNCTUATION):
            comment = False
        comment = comment or word.startswith("#")
        if not comment:
            found.append(word)
    return found
