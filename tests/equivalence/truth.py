"""Is what a case says about itself true? Found out by running its cells, again and again."""

from __future__ import annotations

import ast
import warnings

from IPython.core.inputtransformer2 import TransformerManager

from .case import Case
from .oracle import Forked
from .recorded import CellRecord, Recorded, Snapshot


def problems(case: Case, oracle: Forked) -> list[str]:
    """Sentences about what a case says wrongly; empty where all of it is true."""
    whole = oracle.run(case, snapshots=True)
    found = []
    if whole.failed:
        if case.expect != "refused" or not case.hidden:
            failed = whole.failed
            found.append(f"The plain run fails in cell {failed.number}: {failed.error}.")
        return found
    if case.target:
        found += _about_minimal(case, oracle, whole)
    if case.parameters:
        found += _about_reached(case, oracle, whole)
    return found


def _about_minimal(case: Case, oracle: Forked, whole: Recorded) -> list[str]:
    wanted = whole.values.get(case.target)
    if wanted is None:
        return [f"The target {case.target} is not there at the end."]
    found = []
    everything = len(case.minimal) == len(case.code)
    alone = whole if everything else oracle.run(case, only=case.minimal)
    if alone.values.get(case.target) != wanted:
        got = alone.values.get(case.target, _failure(alone))
        found.append(f"The cells {sorted(case.minimal)} alone give {got}, not {wanted}.")
    for number in sorted(case.minimal):
        less = oracle.run(case, only=case.minimal - {number})
        if less.values.get(case.target) == wanted:
            found.append(f"Without cell {number}, {case.target} is still {wanted}.")
    return found


def _failure(run: Recorded) -> str:
    return f"{run.failed.error} in cell {run.failed.number}" if run.failed else "nothing"


def _about_reached(case: Case, oracle: Forked, whole: Recorded) -> list[str]:
    changed = oracle.run(case, case.parameters, snapshots=True)
    if changed.failed:
        return [f"The run with {case.parameters} fails: {_failure(changed)}."]
    measured, why = reached(case, whole, changed)
    if measured == case.reached:
        return []
    reasons = {number: why.get(number, "no difference") for number in measured ^ case.reached}  # type: ignore[operator]
    return [f"{case.parameters} reaches {sorted(measured)}, not {case.reached}: {reasons}."]


def reached(case: Case, whole: Recorded, changed: Recorded) -> tuple[set[int], dict[int, str]]:
    """The cells that a changed parameter reaches, and by what.

    A cell is reached if what it shows differs, or a name, hidden state or file that it binds or
    changes. The tagged cell is always reached: the new values are injected right after it.
    """
    before, after = _by_cell(whole), _by_cell(changed)
    found, why = {1}, {1: "the parameters"}
    empty = Snapshot({}, {}, [])
    last = (empty, empty)
    for number, source in enumerate(case.code, 1):
        (one, one_taken), (two, two_taken) = before[number], after[number]
        written = _changed(last[0], one_taken) | _changed(last[1], two_taken) | stored(source)
        differ = {key for key in written if _get(one_taken, key) != _get(two_taken, key)}
        shown = one.outputs != two.outputs or one_taken.images != two_taken.images
        if number > 1 and (differ or shown or one.error != two.error):
            found.add(number)
            why[number] = ", ".join(sorted(differ)) or "what it shows"
        last = (one_taken, two_taken)
    return found, why


def _by_cell(run: Recorded) -> dict[int, tuple[CellRecord, Snapshot]]:
    """Record and snapshot of each cell; that of the tagged cell is taken after the injected one."""
    found: dict[int, tuple[CellRecord, Snapshot]] = {}
    for record, taken in zip(run.cells, run.snapshots, strict=True):
        found[record.number or 1] = (record, taken)
    return found


def _all(taken: Snapshot) -> dict[str, str]:
    return taken.values | taken.state


def _get(taken: Snapshot, key: str) -> str | None:
    return _all(taken).get(key)


def _changed(before: Snapshot, after: Snapshot) -> set[str]:
    old, new = _all(before), _all(after)
    return {key for key in old | new if old.get(key) != new.get(key)}


def stored(source: str) -> set[str]:
    """Names that a cell binds by plain statements, whether their values change or not."""
    names: set[str] = set()
    waiting: list[ast.AST] = [tree_of(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp):
            waiting += ast.iter_child_nodes(node)
    return names


def tree_of(source: str) -> ast.Module:
    """The syntax tree of a cell after IPython's own transformations; empty where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(TransformerManager().transform_cell(source))
        except SyntaxError:
            return ast.Module(body=[], type_ignores=[])
