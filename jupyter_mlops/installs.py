"""Lines of a cell that install packages: found, read, and taken out of the copy that runs.

``%pip``, ``!pip``, ``!{sys.executable} -m pip``, ``%conda``, ``!uv pip`` and the like, also in
``%%bash`` cells, and calls of ``os.system`` and ``subprocess`` that do the same.
"""

from __future__ import annotations

import ast
import re
import shlex
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from jupyter_mlops import parsed

#: A text without this installs nothing; asked first, as it is fast.
_MAYBE = re.compile(r"\b(?:pip3?|conda|mamba|micromamba|uv|easy_install)\b")
_PYTHON = r"(?:\{\s*sys\.executable\s*\}|\$\{?sys\.executable\}?|[\w./]*\bpython[\d.]*)"
#: A command that changes an environment, or tells of one; after it come its words.
_COMMAND = re.compile(
    rf"\s*(?:sudo\s+(?:-\w+\s+)*)?"
    rf"(?:{_PYTHON}\s+-m\s+)?"
    rf"(?:[\w.~/-]*/)?(?P<tool>pip[\d.]*|uv\s+pip|uv|conda|mamba|micromamba|easy_install)"
    rf"(?:\s+(?P<rest>.*))?$",
    re.DOTALL,
)
_SEPARATORS = ("&&", "||", ";", "|")
_MAGICS = frozenset({"pip", "conda", "mamba", "micromamba", "uv"})
_SHELLS = re.compile(r"\s*%%(?:bash|sh|zsh|!|system|sx|script\s+(?:ba|z)?sh)\b[^\n]*\n")
_ESCAPED = re.compile(
    r"(?P<head>[ \t]*(?:[\w.,\[\]'\" ]+=[ \t]*)?)(?P<mark>!!|!|%)(?P<text>.*)$", re.DOTALL
)
#: What may stand beside an installation in a shell line and is needed by nothing else.
_IDLE = frozenset({"echo", "yes", "true", "clear", "cls", "tail", "head", "grep", "tee", "cat"})
_SUBPROCESS = frozenset("run call check_call check_output Popen getoutput getstatusoutput".split())
_DONE = "installed from the lock"
_LEFT = "left out, the environment is locked"


@dataclass(frozen=True)
class Install:
    """A command that installs: the tool (``pip`` or ``conda``), its words, and its first line."""

    tool: str
    words: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class _Found:
    """A stretch of lines (from 0, the last one included) and what stands there instead."""

    first: int
    last: int
    instead: str
    installs: tuple[Install, ...]


def of(source: str) -> list[Install]:
    """Return what the lines of a cell install, in their order."""
    return [install for each in _find(source) for install in each.installs]


def without(source: str) -> str:
    """Return a cell with these lines as comments: the lock has done it.

    Lines keep their numbers. Where a shell line does more than install, only that part goes.
    """
    found = _find(source)
    if not found:
        return source
    lines = parsed.lines(source)
    for each in found:
        indent = re.match(r"\s*", lines[each.first])
        margin = indent.group() if indent else ""
        told = lines[each.first : each.last + 1]
        verb = _DONE if each.installs else _LEFT
        lines[each.first] = f"{margin}{each.instead}  # {verb}: {told[0].strip()}"
        for at, line in enumerate(told[1:], each.first + 1):
            lines[at] = f"{margin}# {line.strip()}"
    return "\n".join(lines)


@lru_cache(maxsize=parsed.REMEMBERED)
def _find(source: str) -> list[_Found]:
    if not _MAYBE.search(source):
        return []
    shell = _SHELLS.match(source)
    if shell:
        return list(_of_shell(source, source[: shell.end()].count("\n")))
    magic = re.match(r"\s*%%(\w+)", source)
    if magic and magic.group(1) not in parsed.PYTHON_BODY_MAGICS:
        return []
    found: list[_Found] = []
    plain = _escaped(source, found)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(plain)
    except parsed.NOT_PYTHON:
        return found
    found += _of_calls(tree, source)
    return sorted(found, key=lambda each: each.first)


def _escaped(source: str, found: list[_Found]) -> str:
    """Gather the lines for IPython that install; return the cell with all such lines blank."""
    from IPython.core.inputtransformer2 import find_end_of_continued_line, make_tokens_by_line

    lines = [f"{line}\n" for line in parsed.lines(source)]
    if lines[0].lstrip().startswith("%%"):
        lines[0] = "\n"
    for _ in range(len(lines)):
        at = _first_escape(make_tokens_by_line(lines))
        if at is None:
            break
        end = find_end_of_continued_line(lines, at)
        text = "".join(lines[at : end + 1])
        match = _ESCAPED.match(re.sub(r"\\\n\s*", " ", text).rstrip("\n"))
        if match:
            instead = _instead(match)
            if instead is not None:
                found.append(_Found(at, end, instead[0], _numbered(instead[1], at)))
        margin = text[: len(text) - len(text.lstrip())]
        lines[at] = f"{margin}pass\n"
        for index in range(at + 1, end + 1):
            lines[index] = "\n"
    return "".join(lines)


def _first_escape(tokens_by_line: Sequence[Sequence[tokenize.TokenInfo]]) -> int | None:
    """Return the line (from 0) of the first line magic, shell line or assignment of one."""
    for tokens in tokens_by_line:
        meant = [t for t in tokens if t.string.strip()]
        if meant and meant[0].string in {"%", "!", "!!"}:
            return meant[0].start[0] - 1
        for token, after in pairwise(meant):
            if token.string == "=" and after.string in {"%", "!"}:
                return token.start[0] - 1
    return None


def _instead(match: re.Match[str]) -> tuple[str, list[Install]] | None:
    """Return what stands for a line for IPython, and what it installs; ``None``: it stays."""
    text = match["text"].strip()
    if match["mark"] == "%":
        name = text.split()[0] if text.split() else ""
        if name not in _MAGICS:
            return None
        installs, _ = _commands(text)
        rest = ""
    else:
        installs, rest = _commands(text)
    if installs is None:
        return None
    head = match["head"].strip()
    if rest:
        return f"{head} {match['mark']}{rest}".strip(), installs
    return (f"{head} []" if head else "pass"), installs


def _commands(text: str) -> tuple[list[Install] | None, str]:
    """Return what a shell line installs, and the line without that; empty where that is all.

    ``None`` where nothing in it is about an environment.
    """
    installs: list[Install] = []
    kept: list[str] = []
    seen = busy = False
    for command in _split(_without_comment(text)):
        match = _COMMAND.match(command)
        rest = (match["rest"] or "") if match else ""
        if match is None or not _is_about_environments(match["tool"], rest):
            word = command.split()[:1]
            busy = busy or bool(word and word[0] not in _IDLE and command not in _SEPARATORS)
            kept.append(command)
            continue
        seen = True
        kept.append(" : " if kept else ": ")
        install = _install(match["tool"], rest)
        if install is not None:
            installs.append(install)
    return (installs if seen else None), "".join(kept).strip() if busy else ""


def _is_about_environments(tool: str, rest: str) -> bool:
    """Tell commands on packages from others of the same tool (``uv run``, ``conda run``)."""
    word = rest.split()[0] if rest.split() else ""
    if tool == "uv":
        return word in {"add", "sync", "remove", "venv", "lock"}
    return word not in {"run", "tool", "python", "build", "publish", "init", "download", "wheel"}


def _install(tool: str, rest: str) -> Install | None:
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    words = _without_redirections(words)
    kind = "conda" if tool.endswith(("conda", "mamba")) else "pip"
    verbs = {"install", "add", "update", "upgrade", "create"}
    if "easy_install" in tool:
        return Install(kind, tuple(words), 0)
    at = next((i for i, word in enumerate(words) if word in verbs), None)
    if at is None or (kind == "pip" and words[at] in {"create", "update", "upgrade"}):
        return None
    return Install(kind, tuple(words[at + 1 :]), 0)


def _split(text: str) -> list[str]:
    """Divide a shell line into commands and what stands between; quotes divide nothing."""
    commands, quote, start, at = [], "", 0, 0
    while at < len(text):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            found = next((s for s in _SEPARATORS if text.startswith(s, at)), "")
            if found and text[at - 1 : at] != ">":
                commands += [text[start:at], found]
                at += len(found)
                start = at
                continue
        at += 1
    return [*commands, text[start:]]


def _without_redirections(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif re.fullmatch(r"\d?>{1,2}|&>|<", word):
            skip = True
        elif re.match(r"[>=<!~]=", word) and kept:
            kept[-1] += word  # pandas >=2
        elif not re.match(r"\d?>|&>", word):
            kept.append(word)
    return kept


def _without_comment(text: str) -> str:
    """Cut a comment off a command; ``#`` in a URL (``#egg=``) begins none."""
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0]


def _numbered(installs: Sequence[Install], line: int) -> tuple[Install, ...]:
    return tuple(Install(each.tool, each.words, line) for each in installs)


def _of_shell(source: str, start: int) -> Iterator[_Found]:
    """Yield the commands that install in a cell whose body is a shell script."""
    lines = parsed.lines(source)
    at = start
    while at < len(lines):
        end = at
        while end + 1 < len(lines) and lines[end].endswith("\\"):
            end += 1
        text = re.sub(r"\\\n\s*", " ", "\n".join(lines[at : end + 1])).strip()
        here = re.search(r"<<-?\s*['\"]?(\w+)", text)
        if here:  # what follows is a text, up to that word
            end = next((i for i in range(end + 1, len(lines)) if lines[i].strip() == here[1]), end)
        else:
            installs, others = _commands(text)
            if installs is not None:
                yield _Found(at, end, others or ":", _numbered(installs, at))
        at = end + 1


def _of_calls(tree: ast.Module, source: str) -> Iterator[_Found]:
    """Yield statements that call ``os.system`` or ``subprocess`` to install."""
    lines = parsed.lines(source)
    shared: dict[int, list[tuple[int, int, str, list[Install]]]] = {}
    for node in parsed.nodes(tree):
        if not isinstance(node, ast.Expr | ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        text = _called(node.value)
        installs, others = _commands(text) if text is not None else (None, "")
        if installs is None or others:
            continue
        instead = "pass"
        if isinstance(node, ast.Assign):
            instead = " = ".join([*(ast.unparse(t) for t in node.targets), "None"])
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        if first == last:
            column = (node.col_offset, node.end_col_offset or 0)
            shared.setdefault(first, []).append((*column, instead, installs))
        elif _is_alone(node, lines):
            yield _Found(first, last, instead, _numbered(installs, first))
    for line, found in shared.items():
        text = lines[line]
        for start, end, instead, _ in sorted(found, reverse=True):
            raw = text.encode()
            text = (raw[:start] + instead.encode() + raw[end:]).decode()
        every = [install for each in sorted(found, key=_column) for install in each[3]]
        yield _Found(line, line, text.strip(), _numbered(every, line))


def _column(found: tuple[int, int, str, list[Install]]) -> int:
    return found[0]


def _is_alone(node: ast.stmt, lines: Sequence[str]) -> bool:
    """Tell whether nothing else stands on the lines of a statement."""
    before = lines[node.lineno - 1].encode()[: node.col_offset]
    after = lines[(node.end_lineno or node.lineno) - 1].encode()[node.end_col_offset :]
    return not before.strip() and after.strip()[:1] in (b"", b"#")


def _called(node: ast.Call) -> str | None:
    """Return the shell command that a call runs, as far as it is written there."""
    name = ast.unparse(node.func) if isinstance(node.func, ast.Attribute | ast.Name) else ""
    if name == "get_ipython().run_line_magic" and len(node.args) == 2:
        return " ".join(_word(argument) for argument in node.args)
    runs = {"os.system", "os.popen", "get_ipython().system", "get_ipython().getoutput"}
    if name not in runs and name.removeprefix("subprocess.") not in _SUBPROCESS:
        return None
    first = node.args[0] if node.args else None
    if isinstance(first, ast.List | ast.Tuple):
        return " ".join(_quoted(_word(each)) for each in first.elts)
    return _word(first) if first is not None else None


def _quoted(word: str) -> str:
    return word if word.startswith("{") else shlex.quote(word)


def _word(node: ast.expr) -> str:
    """Return an argument as a shell line would have it: what is no text stands in braces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_word(value) for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _word(node.left) + _word(node.right)
    inside = node.value if isinstance(node, ast.Starred | ast.FormattedValue) else node
    return f"{{{ast.unparse(inside)}}}"
