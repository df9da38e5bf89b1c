"""What each step's function takes and returns; or why functions would not be right."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.effects.flow import CellFlow
from jupyter_mlops.pipeline.export.hoisting import DEFINITIONS, Hoisted
from jupyter_mlops.pipeline.export.statements import Body, Statement

_LOOKS_AT_SCOPE = frozenset("globals locals eval exec".split())
_LOOKS_WITHOUT_ARGUMENTS = frozenset("vars dir".split())
_DRAWN = frozenset("fig ax axs axes".split())
_BY_REFERENCE = frozenset("pickle cloudpickle dill joblib multiprocessing concurrent".split())


@dataclass
class Signature:
    """The function of one step; ``results`` are values that no later step takes.

    ``unset`` are outputs that it may not come to bind: in the notebook they would be missing.
    """

    cells: list[int]
    unset: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)


@dataclass
class _Step:
    cells: list[int]
    flows: list[CellFlow]
    statements: list[Statement]
    binds: set[str]
    sure: set[str]
    gone: set[str]
    inputs: set[str]
    before: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)

    @property
    def unset(self) -> set[str]:
        return self.outputs - self.sure - self.inputs


def signatures(
    steps: Sequence[Sequence[int]],
    bodies: Mapping[int, Body],
    hoisted: Hoisted,
    flow: Dataflow,
    parameters: Sequence[str],
    parameters_cell: int = 0,
) -> tuple[list[Signature], list[str]]:
    """Return the signature of each step (its cells are given), and reasons against functions."""
    every = [_step(cells, bodies, hoisted, flow) for cells in steps]
    reasons = [*hoisted.reasons, *_reasons(every, hoisted)]
    for cells in steps:
        for cell in cells:
            for statement in bodies[cell].statements:
                reasons += _of_statement(statement)
    values = {name for step in every for name in step.binds} | set(parameters)
    before = set(parameters)
    for step in every:
        if parameters_cell in step.cells:
            step.inputs |= set(parameters) & {n for each in step.statements for n in each.needs}
        step.before = set(before)
        before |= step.binds
    reasons += _closures(every, values)
    live: set[str] = set()
    for step in reversed(every):
        step.outputs = step.binds & live
        step.inputs |= step.outputs - step.sure
        step.inputs &= step.before
        live = (live - step.binds) | step.inputs
    reasons += _missing(every, set(parameters))
    return _described(every, parameters), list(dict.fromkeys(reasons))


def _step(
    cells: Sequence[int], bodies: Mapping[int, Body], hoisted: Hoisted, flow: Dataflow
) -> _Step:
    statements = [
        each
        for cell in cells
        for index, each in enumerate(bodies[cell].statements)
        if index not in hoisted.taken.get(cell, set())
    ]
    flows = [flow.flow(cell) for cell in cells]
    mentioned = {name for each in statements for name in each.needs}
    inputs: set[str] = set()
    sure: set[str] = set()
    gone: set[str] = set()
    for own in flows:
        inside = set(cells)
        inputs |= {n for n, sources in own.uses.items() if n in mentioned and sources - inside}
        sure |= own.binds
        gone = (gone | own.deletes) - (own.binds - own.deletes)
    binds = {name for each in statements for name in each.binds}
    sure -= hoisted.names
    return _Step(list(cells), flows, statements, binds, (sure & binds) - gone, gone, inputs)


def _reasons(steps: Sequence[_Step], hoisted: Hoisted) -> list[str]:
    """Return what means something else inside of a function."""
    found: list[str] = []
    local_code = False
    for step in steps:
        for each in step.statements:
            local_code = local_code or isinstance(each.node, DEFINITIONS)
        for own in step.flows:
            if own.undefined:
                names = ", ".join(sorted(own.undefined))
                found.append(f"no cell before cell {own.number} defines {names}")
            if own.deleted_uses:
                names = ", ".join(sorted(own.deleted_uses))
                found.append(f"cell {own.number} may use {names} after it was deleted")
    imported = " ".join(hoisted.imports).replace(".", " ").split()
    if "inspect" in imported:
        found.append("the notebook looks at its own functions by inspect")
    if local_code and _BY_REFERENCE & set(imported):
        found.append("functions that read the notebook's values may be sent to other processes")
    return found


def _of_statement(statement: Statement) -> list[str]:
    found: list[str] = []
    cell = statement.cell
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Global):
            found.append(f"cell {cell} changes global names inside of a function")
        elif isinstance(node, ast.Name) and node.id in _LOOKS_AT_SCOPE:
            found.append(f"cell {cell} looks at its names by {node.id}")
        elif isinstance(node, ast.Attribute) and node.attr in ("_getframe", "currentframe"):
            found.append(f"cell {cell} looks at its names by {node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in _LOOKS_WITHOUT_ARGUMENTS and not node.args:
                found.append(f"cell {cell} looks at its names by {node.func.id}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            by_text = node.func.attr in ("query", "eval", "evaluate") and node.args
            if by_text and not (texts and "@" not in str(texts[0]) and node.func.attr == "query"):
                found.append(f"cell {cell} names its values in a text for {node.func.attr}()")
    return found


def _closures(steps: Sequence[_Step], values: set[str]) -> list[str]:
    """Return why a function made in a step would not see what the notebook's would."""
    found: list[str] = []
    later: set[str] = set()
    for step in reversed(steps):
        for each in step.statements:
            seen = each.late & values
            moved = sorted(seen & later)
            if moved:
                names = ", ".join(moved)
                found.append(f"a function of cell {each.cell} reads {names}, which is set later")
            step.inputs |= seen - step.sure
        later |= step.binds
    return found


def _missing(steps: Sequence[_Step], parameters: set[str]) -> list[str]:
    there = set(parameters)
    found: list[str] = []
    catches = any(_catches(each.node) for step in steps for each in step.statements)
    for step in steps:
        for name in sorted(step.inputs - there):
            found.append(f"{name} may not be set when cell {step.cells[0]} begins")
        for name in sorted(step.outputs & step.gone):
            found.append(f"{name} is deleted in cells {step.cells[0]} to {step.cells[-1]}")
        for name in sorted(step.unset) if catches else ():
            found.append(f"{name} may not be set, and the notebook handles errors")
        there = (there | step.outputs) - step.gone
    return found


def _catches(node: ast.stmt) -> bool:
    """Tell whether code handles the error of a name that is not set."""
    return any(
        isinstance(each, ast.ExceptHandler)
        and (
            each.type is None
            or any(word in ast.unparse(each.type) for word in ("NameError", "Exception"))
        )
        for each in ast.walk(node)
    )


def _described(steps: Sequence[_Step], parameters: Sequence[str]) -> list[Signature]:
    described = []
    later: set[str] = set()
    first: dict[str, int] = {}
    for step in steps:
        for index, each in enumerate(step.statements):
            for name in each.binds:
                first.setdefault(name, each.cell * 1000 + index)
    for step in reversed(steps):
        results = [] if step.outputs else _results(step, later)
        given = sorted(step.inputs, key=lambda n: (n in parameters, first.get(n, 0), n))
        outputs = sorted(step.outputs, key=lambda n: (first.get(n, 0), n))
        described.append(Signature(step.cells, sorted(step.unset), given, outputs, results))
        later |= step.binds
    return described[::-1]


def _results(step: _Step, later: set[str]) -> list[str]:
    """Return what a step that nothing builds on assigns at its top level."""
    found: dict[str, None] = {}
    for each in step.statements:
        node = each.node
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        for target in targets:
            parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            names = [part.id for part in parts if isinstance(part, ast.Name)]
            found.update(dict.fromkeys(n for n in names if n[:1] != "_"))
    found = {name: None for name in found if name in step.sure and name not in later}
    telling = [name for name in found if name not in _DRAWN]
    return telling or list(found)
