"""Where steps begin and end: what the author marked, else headings, else where little crosses.

A cell marks the beginning of a step in one of three ways: its first line is the comment
``# step: NAME``; it carries the tag ``step:NAME`` (Kale's tag, too, once ``block:NAME``); or it
begins with ``%%mlops_step NAME``. Cells without a mark belong to the step before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from jupyter_mlops.errors import shown
from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline import cuts, phases
from jupyter_mlops.pipeline import headings as markdown
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.phases import Kind

How = Literal["auto", "headings", "cells", "none"]
HOWS: tuple[How, ...] = ("auto", "headings", "cells", "none")
_COMMENT = re.compile(r"#\s*step:\s*(\S.*?)\s*$", re.IGNORECASE)
_MAGIC = re.compile(r"%%mlops_step[ \t]+(\S.*?)\s*$")
_TAGS = ("step:", "block:")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Cells that become a step: code cells, counted from 1, without a gap.

    ``title`` is from a mark or a heading, else empty; ``why`` says why the step begins here.
    """

    cells: list[int]
    title: str = ""
    why: str = ""


def split(notebook: Notebook, flow: Dataflow, how: How = "auto") -> list[Group]:
    """Return the groups of a notebook's code cells, in order; every cell is in one of them.

    ``auto`` takes the author's marks, else the headings, else cuts where little is handed over;
    ``headings`` only the headings; ``cells`` makes each cell a step; ``none`` is one step.
    What cannot be handed over may still cross a mark or heading: ``plan.merged_groups`` joins.
    """
    cells = notebook.cells
    if how == "none" or not cells:
        return [Group(cells=[c.number for c in cells], why="The notebook is one step.")]
    kinds = [phases.kind(cell) for cell in cells]
    if how == "cells":
        starts = {c.number: ("", "Each cell is a step.") for c in cells if c.source.strip()}
        return _without_empty(_groups(cells, starts), kinds)
    marked = _marked(cells) if how == "auto" else {}
    if marked:
        groups = _without_empty(_groups(cells, marked), kinds)
        return _joined(groups, [_is_lead_in(group, marked, kinds) for group in groups])
    found = markdown.useful(markdown.headings(notebook))
    groups = _by_headings(cells, kinds, {n: heading.text for n, heading in found.items()})
    if len(groups) > 1 or how == "headings":
        return groups
    places = cuts.starts(cells, kinds, flow)
    if not places:
        return groups
    why = "Little is handed over from the cells before."
    return _groups(cells, dict.fromkeys(places, ("", why)))


def mark(cell: Cell) -> str:
    """Return the name of the step that a cell marks, or an empty text."""
    lines = cell.source.strip().splitlines()
    first = lines[0].strip() if lines else ""
    found = _COMMENT.match(first) or _MAGIC.match(first)
    if found:
        return shown(found[1], 200)
    tags = sorted(tag for tag in cell.tags if tag.startswith(_TAGS))
    return shown(tags[0].partition(":")[2], 200) if tags else ""


def _marked(cells: Sequence[Cell]) -> dict[int, tuple[str, str]]:
    """Return the cells at which marked steps begin; the same mark again goes on with its step."""
    found: dict[int, tuple[str, str]] = {}
    current = ""
    for cell in cells:
        name = mark(cell)
        if name and name != current:
            found[cell.number] = (name, f"Cell {cell.number} is marked as the step '{name}'.")
            current = name
    return found


def _by_headings(
    cells: Sequence[Cell], kinds: Sequence[Kind], titles: Mapping[int, str]
) -> list[Group]:
    starts = {n: (title, f"The heading '{title}' stands here.") for n, title in titles.items()}
    groups = _without_empty(_groups(cells, starts), kinds)
    return _joined(groups, [_has_no_work(group, kinds) for group in groups])


def _groups(cells: Sequence[Cell], starts: Mapping[int, tuple[str, str]]) -> list[Group]:
    found: list[tuple[list[int], str, str]] = []
    for cell in cells:
        if cell.number in starts or not found:
            title, why = starts.get(cell.number, ("", "The notebook begins here."))
            found.append(([], title, why))
        found[-1][0].append(cell.number)
    return [Group(cells=numbers, title=title, why=why) for numbers, title, why in found]


def _without_empty(groups: Sequence[Group], kinds: Sequence[Kind]) -> list[Group]:
    """Join groups without code to the next one."""
    return _joined(groups, [all(kinds[n - 1] == "empty" for n in g.cells) for g in groups])


def _has_no_work(group: Group, kinds: Sequence[Kind]) -> bool:
    return all(kinds[number - 1] != "work" for number in group.cells)


def _is_lead_in(group: Group, marked: Mapping[int, tuple[str, str]], kinds: Sequence[Kind]) -> bool:
    """Tell whether these are imports and definitions in front of the first mark."""
    return group.cells[0] not in marked and _has_no_work(group, kinds)


def _joined(groups: Sequence[Group], dependent: Sequence[bool]) -> list[Group]:
    """Join every dependent group to the next one, at the end to the one before."""
    result: list[Group] = []
    waiting: list[Group] = []
    for group, depends in zip(groups, dependent, strict=True):
        if depends:
            waiting.append(group)
            continue
        cells = [number for each in waiting for number in each.cells] + group.cells
        lead = next((each for each in waiting if each.title), group)
        title = group.title or lead.title
        result.append(Group(cells=cells, title=title, why=(group if group.title else lead).why))
        waiting = []
    if waiting and result:
        cells = result[-1].cells + [number for each in waiting for number in each.cells]
        result[-1] = msgspec.structs.replace(result[-1], cells=cells)
    elif waiting:
        first = waiting[0]
        every = [number for each in waiting for number in each.cells]
        result.append(msgspec.structs.replace(first, cells=every))
    return result
