"""The Markdown headings of a notebook, and which of them make useful steps."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_mlops.errors import shown
from jupyter_mlops.notebook import Notebook

LEVELS = (1, 2, 3)
FEWEST, MOST = 3, 8
_ATX = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_HTML = re.compile(r"^\s*<h([1-6])[^>]*>(.*?)</h\1>\s*$", re.IGNORECASE)
_LINE_BELOW = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_TEXT = re.compile(r"^ {0,3}(?![ \t>|#*+-]|\d+[.)][ \t])\S")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


@dataclass(frozen=True)
class Heading:
    """A heading; ``cell`` is the next code cell (counted from 1) that is not empty."""

    level: int
    text: str
    cell: int


def headings(notebook: Notebook) -> list[Heading]:
    """Return the headings that some code follows, without the title of the document.

    The title is a single heading of the first level that stands before all others.
    """
    found = _all(notebook)
    first = [heading for heading in found if heading.level == 1]
    if len(first) == 1 and found[0] is first[0]:
        found = found[1:]
    return [heading for heading in found if heading.cell]


def _all(notebook: Notebook) -> list[Heading]:
    numbers = {cell.index: cell.number for cell in notebook.cells if cell.source.strip()}
    found: list[Heading] = []
    following = 0
    for index in reversed(range(len(notebook.node.cells))):
        following = numbers.get(index, following)
        cell = notebook.node.cells[index]
        if cell.cell_type == "markdown":
            texts = reversed(list(_in(cell.source)))
            found.extend(Heading(level, text, following) for level, text in texts)
    found.reverse()
    return found


def _in(source: str) -> Sequence[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    fence = ""
    before, above = "", ""
    for line in source.splitlines():
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence == mark[1] else fence or mark[1]
        if fence:
            continue
        atx = _ATX.match(line)
        html = _HTML.match(line)
        below = _LINE_BELOW.match(line)
        if atx:
            found.append((len(atx[1]), plain(atx[2])))
        elif html:
            found.append((int(html[1]), plain(html[2])))
        elif below and _TEXT.match(above) and not before.strip():
            # A paragraph of one line with a line below it; a table or metadata has more.
            found.append((1 if below[1][0] == "=" else 2, plain(above)))
        before, above = above, line
    return [(level, text) for level, text in found if text]


def has_heading(source: str) -> bool:
    """Tell whether a Markdown cell holds a heading of any level."""
    return bool(_in(source))


def plain(text: str) -> str:
    """Return a heading's text without Markdown's and HTML's signs."""
    text = re.sub(r"<[^>]+>", "", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return shown(re.sub(r"[*`~]|(?<!\w)_|_(?!\w)", "", text), 200)


def useful(found: Sequence[Heading]) -> dict[int, Heading]:
    """Return the headings at which steps begin, by code cell.

    Of the levels, the shallowest that gives a sensible number of steps is taken; of several
    headings before one cell, the last one names what follows.
    """
    choices = []
    for level in LEVELS:
        starts = {each.cell: each for each in found if each.level <= level}
        if starts:
            count = len(starts)
            inside = min(max(count, FEWEST), MOST)
            choices.append((abs(math.log(count / inside)), level, starts))
    return min(choices, key=lambda choice: choice[:2])[2] if choices else {}
