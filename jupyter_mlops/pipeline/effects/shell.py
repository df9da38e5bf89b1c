"""What shell commands do to files, as far as their text says."""

from __future__ import annotations

import posixpath
import re
import shlex

#: Commands that change no file and whose output depends on the files they name only.
READERS = frozenset(
    """
    cat head tail wc grep sort uniq cut md5sum sha256sum diff file stat
    """.split()
)
#: Commands that read no file and change none.
QUIET = frozenset(
    """
    echo printf date pwd whoami hostname uname nvidia-smi which true false sleep env
    printenv python3 pip pip3 conda mamba uv jupyter export
    """.split()
)
LISTING = frozenset(
    """
    ls find du tree dir
    """.split()
)
CREATORS = frozenset(["touch", "mkdir"])
MOVERS = frozenset(
    """
    cp mv rm rmdir ln
    """.split()
)
#: Commands that give the same each time, if the files that they name are the same.
STEADY = READERS - {"stat"} | CREATORS | MOVERS | {
    "echo", "printf", "true", "false", "sleep", "cd", "export", "pip", "pip3", "conda", "mamba",
    "uv",
}  # fmt: skip
_REDIRECTION = re.compile(r"(?<![0-9&])(>>?)\s*([^\s;|&>]+)")


def unsteady(text: str) -> str:
    """Return the first command that may give something else each time, or an empty text."""
    for line in text.splitlines():
        for command in re.split(r"&&|\|\||;|\|", line):
            words = command.split()
            if not words or words[0].startswith("#"):
                continue
            name = posixpath.basename(words[0])
            plain = name in LISTING and not any(word.startswith("-") for word in words[1:])
            if name not in STEADY and not plain:
                return name
    return ""


def effects(text: str) -> list[tuple[str, str | None]]:
    """Return (mode, path) of each effect; modes are in, out, change, environ.

    A path of ``None`` means files that cannot be told.
    """
    found: list[tuple[str, str | None]] = []
    for line in text.splitlines():
        for command in re.split(r"&&|\|\||;|\|", line):
            found += _command(command.strip())
    return found


def _command(text: str) -> list[tuple[str, str | None]]:
    if not text or text.startswith("#"):
        return []
    found: list[tuple[str, str | None]] = []
    for arrow, target in _REDIRECTION.findall(text):
        if target != "/dev/null":
            found.append(("change" if arrow == ">>" else "out", _path(target)))
    text = _REDIRECTION.sub("", text)
    try:
        words = shlex.split(text)
    except ValueError:
        return [("change", None)]
    if not words:
        return found
    name = posixpath.basename(words[0])
    plain = [word for word in words[1:] if not word.startswith("-")]
    if name in ("python", "python3") and plain:
        return [*found, ("environ", None), ("change", None)]
    if name in QUIET or name == "python":
        return [*found, ("environ", None)]
    if name in READERS:
        files = plain[1:] if name == "grep" else plain
        return [*found, *(("in", _path(word)) for word in files)]
    if name in LISTING:
        return [*found, ("in", None)]
    if name in CREATORS:
        return [*found, *(("out", _path(word)) for word in plain)]
    if name in MOVERS:
        return [*found, *(("change", _path(word)) for word in plain)]
    return [*found, ("environ", None), ("change", None)]


def _path(word: str) -> str | None:
    """Return a path as written, ``None`` where a variable or a pattern stands in it."""
    word = word.strip("'\"")
    return None if re.search(r"[$*?{}~\[]", word) else posixpath.normpath(word)
