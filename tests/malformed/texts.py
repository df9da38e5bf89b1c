"""Valid programs to spoil: the corpus' notebooks, and random ones of the small language."""

from __future__ import annotations

import re
from random import Random

from tests.equivalence.corpus import CASES
from tests.pipeline.language import (
    BODIES,
    EXPRESSIONS,
    NAMES,
    SAFE,
    START,
    STATEMENTS,
)

_TOKEN = re.compile(r"\w+|\n[ \t]*|[ \t]+|[^\w\s]")
_ODD = [
    "(", ")", "[", "]", "{", "}", ":", "=", "*", "**", "->", ":=", "...", "@", "\\", "'", '"',
    "'''", "f'{", "}}",
    "lambda", "yield", "await", "async", "return", "del", "global a", "nonlocal a", "import",
    "from", "class", "def",
    "except*", "match", "case _:", "type", "0x", "1_", "1e", "\n", "\n\t", "\n        ", ";", "!",
    "%", "%%", "?", "??",
    "$", "`", "é", "ª", "\u2028", "\x0c", "\r", "\x00", "😀", "#", "print", "not in", "is", "*a,",
    "**a", "None",
]  # fmt: skip


def program(rng: Random) -> list[str]:
    """Return the cells of a valid program."""
    if rng.random() < 0.5:
        return list(rng.choice(CASES).code)
    return [START, *(_statement(rng) for _ in range(rng.randint(1, 6)))]


def _statement(rng: Random) -> str:
    parts = {key: rng.choice(NAMES) for key in "xzwy"} | {"n": str(rng.randint(0, 5))}
    parts["f"] = rng.choice("fg")
    parts["e"] = rng.choice(EXPRESSIONS).format(**parts)
    parts["body"] = rng.choice(BODIES).format(**parts)
    return rng.choice([*STATEMENTS, *SAFE]).format(**parts)


def spoiled(rng: Random, text: str) -> str:
    """Return a text with tokens deleted, inserted, doubled and swapped."""
    tokens = _TOKEN.findall(text) or ["a"]
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(tokens))
        how = rng.randrange(4)
        if how == 0 and len(tokens) > 1:
            del tokens[place]
        elif how == 1:
            tokens.insert(place, rng.choice(_ODD))
        elif how == 2:
            tokens.insert(place, tokens[rng.randrange(len(tokens))])
        else:
            other = rng.randrange(len(tokens))
            tokens[place], tokens[other] = tokens[other], tokens[place]
    return "".join(tokens)
