"""Reads ``name=expression …`` lines. Ships in images: only the standard library."""

from __future__ import annotations

import io
import re
import tokenize
from functools import lru_cache
from types import CodeType

_NAME = re.compile(r"[^\W\d][\w./-]*")
_HINT = "write name=value, for example: %mlops_log loss=loss step=epoch"


@lru_cache(maxsize=256)
def expressions(line: str) -> tuple[tuple[str, CodeType], ...]:
    """Return (name, compiled expression) of each argument of a line; ``**`` names a mapping.

    Expressions may hold spaces, calls and strings: a new argument begins where a name that
    follows a space is followed by ``=``. Raises ``ValueError`` with one sentence.
    """
    starts = _starts(line)
    if not starts or line[: starts[0][0]].strip(" ,"):
        raise ValueError(f"There is no name=value to log; {_HINT}")
    found = []
    for (_, name, begin), end in zip(starts, [s[0] for s in starts[1:]] + [len(line)], strict=True):
        text = line[begin:end].strip(" ,\t")
        try:
            found.append((name, compile(text, f"<{name}>", "eval")))
        except (SyntaxError, ValueError):
            raise ValueError(f"{name}={text}: this value is not a Python expression") from None
    return tuple(found)


def _starts(line: str) -> list[tuple[int, str, int]]:
    """Return where each argument begins, its name, and where its expression begins."""
    found: list[tuple[int, str, int]] = []
    depth = 0
    for token, before in _tokens(line):
        column, text = token.start[1], token.string
        if text in ("(", "[", "{"):
            depth += 1
        elif text in (")", "]", "}"):
            depth -= 1
        elif depth == 0 and text == "=" and before in (tokenize.NAME, tokenize.NUMBER):
            begin = max(line.rfind(" ", 0, len(line[:column].rstrip())), line.rfind(",", 0, column))
            name = line[begin + 1 : column].strip()
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a name; {_HINT}")
            found.append((begin + 1, name, column + 1))
        elif depth == 0 and text == "**" and _opens(line, column):
            found.append((column, "**", column + 2))
    return found


def _opens(line: str, column: int) -> bool:
    """Tell ``**mapping`` from a power: a space before it (or nothing) and none after it."""
    return not line[:column].strip() or (
        line[column - 1] in " ," and not line[column + 2 : column + 3].isspace()
    )


def _tokens(line: str) -> list[tuple[tokenize.TokenInfo, int]]:
    """Return the tokens, each with the type of the one before it."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(line).readline))
    except (tokenize.TokenError, SyntaxError):
        raise ValueError(f"A bracket or a quote is not closed; {_HINT}") from None
    kinds = [tokenize.ENCODING, *(token.type for token in tokens)]
    return list(zip(tokens, kinds, strict=False))
