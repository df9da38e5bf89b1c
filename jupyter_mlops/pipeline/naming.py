"""Names of steps that a person would give: from a title, else from what the cells do."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline import phases
from jupyter_mlops.pipeline.boundaries import Group
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.effects.flow import CellFlow

LONGEST = 40
#: How strongly a phase names a step that also does other things.
_STRENGTH = {"train": 4.0, "load": 3.0, "evaluate": 2.5, "save": 2.0, "plot": 1.5, "prepare": 1.0}
_NUMBER = r"(?:\d+(?:\.\d+)*|[ivx]+)"
_NUMBERED = re.compile(
    rf"^(?:(?:step|part|section|chapter)\s+{_NUMBER}[.):]?\s+|{_NUMBER}[.):]\s+|\d+(?:\.\d+)+\s+)",
    re.IGNORECASE,
)
#: The last cell that uses a name as a cell has left it.
LastUse = Mapping[int, Mapping[str, int]]
_DASHES = re.compile("[\u2010-\u2015]")
_DULL = frozenset(
    """
    i j k n x y z _ a b c d e f ax axes fig result results res tmp temp out output value values
    """.split()
)


def names(groups: Sequence[Group], notebook: Notebook, flow: Dataflow) -> list[str]:
    """Return a name for each group: ``[a-z0-9-]``, at most 40 characters, no two the same.

    A title gives its slug. Without one the name is what the group does, and to what: the name
    that it gives later groups, or that it works on.
    """
    last_use: dict[int, dict[str, int]] = {}
    for cell in flow.flows:
        for name, sources in cell.uses.items():
            for source in sources:
                last_use.setdefault(source, {})[name] = cell.number
    wanted = [_name(group, notebook, flow, last_use) for group in groups]
    taken: set[str] = set()
    result = []
    for name in wanted:
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name[: LONGEST - len(str(count)) - 1].rstrip('-')}-{count}"
        taken.add(unique)
        result.append(unique)
    return result


def slug(text: str) -> str:
    """Return a text as lower-case words with dashes, at most 40 characters, whole words if it can.

    Accents are dropped; a section's number in front is, too. May be empty.
    """
    apart = _DASHES.sub("-", _NUMBERED.sub("", text.strip()).replace("ß", "ss"))
    plain = unicodedata.normalize("NFKD", apart)
    plain = plain.encode("ascii", "ignore").decode().lower().replace("'", "")
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) <= LONGEST:
        return words
    cut = words[: LONGEST + 1].rpartition("-")[0]
    return cut or words[:LONGEST]


def _name(group: Group, notebook: Notebook, flow: Dataflow, last_use: LastUse) -> str:
    if group.title and slug(group.title):
        return slug(group.title)
    cells = [notebook.cells[number - 1] for number in group.cells]
    work = [cell for cell in cells if phases.kind(cell) == "work"]
    if not work:
        return _of_setup(cells, flow)
    flows = [flow.flow(cell.number) for cell in work]
    verb = _verb(work, flows)
    thing = slug(_thing(verb, flows, last_use))
    if not thing or thing == verb:
        return verb
    return slug(thing if thing.startswith(f"{verb}-") else f"{verb} {thing}")


def _of_setup(cells: Sequence[Cell], flow: Dataflow) -> str:
    """Name cells that only import, define and hold parameters."""
    defined = [
        statement.name
        for cell in cells
        for statement in cell.full_tree.body
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    if not defined:
        bound = {name for cell in cells for name in flow.flow(cell.number).binds}
        if any(isinstance(s, ast.Import | ast.ImportFrom) for c in cells for s in c.full_tree.body):
            return "setup"
        if bound & flow.world.parameters:
            return "parameters"
        return slug(f"set {_words(sorted(bound)[0])}") if len(bound) == 1 else "setup"
    return slug(f"define {_words(defined[0])}") if len(defined) == 1 else "define"


def _verb(work: Sequence[Cell], flows: Sequence[CellFlow]) -> str:
    points: Counter[str] = Counter()
    for cell, flow in zip(work, flows, strict=True):
        phase = phases.phase(cell, flow)
        if phase:
            points[phase] += 1
    strongest = max(points, key=lambda each: _STRENGTH[each] * min(points[each], 2), default="")
    if not strongest:
        return "compute" if any(flow.writes for flow in flows) else "show"
    return strongest


def _thing(verb: str, flows: Sequence[CellFlow], last_use: LastUse) -> str:
    """Return the name that a step is about, as words."""
    bound = [name for own in flows for name in _in_order(own)]
    own = {cell.number for cell in flows}
    last = max(own)
    later = {n for cell in own for n, use in last_use.get(cell, {}).items() if use > last}
    given = [name for name in bound if name in later]
    taken = [
        name
        for cell in flows
        for name, sources in sorted(cell.uses.items(), key=lambda use: (max(use[1]), use[0]))
        if name[:1] != "<" and name not in cell.by_text and sources - own
    ]
    if verb in ("evaluate", "plot", "save", "show"):
        return _words(_telling(taken) or _telling(bound))
    return _words(_telling(given) or _telling(bound) or _telling(taken))


def _in_order(flow: CellFlow) -> list[str]:
    """Return what a cell binds: the first target of its last statement is the last one.

    What it only changes comes first.
    """
    order: dict[str, tuple[int, int]] = {}
    for node in parsed.nodes(flow.tree) if flow.tree is not None else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            order[node.id] = (node.lineno, -node.col_offset)
    written = {name for name in flow.writes if name[:1] not in ("<", "*")} - set(flow.by_text)
    defined = {name for text in flow.definitions for name in text.names}
    return sorted(written - defined, key=lambda name: (order.get(name, (0, 0)), name))


def _telling(candidates: Collection[str]) -> str:
    """Return the last name that says something; else the last one."""
    every = list(candidates)
    good = [name for name in every if name.lower() not in _DULL and len(name) > 1]
    return (good or every or [""])[-1]


def _words(name: str) -> str:
    """Return an identifier as words: ``XTrain`` and ``x_train`` become ``x train``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return apart.replace("_", " ").strip()
