"""Every change that a program makes is seen by the analysis, however the value got there."""

from __future__ import annotations

import os

import pytest

from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline import dataflow

from . import mutation_parts, mutations
from .mutations import Program

CHANGER = 4  # the cell that changes
COUNT = int(os.environ.get("MLOPS_MUTATIONS", "40000" if os.environ.get("CI") else "4000"))
#: Seconds; a fiftieth of one for each program is plenty.
PATIENCE = max(600, COUNT // 50)


def missed(program: Program) -> set[int]:
    """Return the looks that see the change, and that the analysis thinks do not."""
    seen = program.changed()
    if not seen:
        return set()
    cells = [Cell(i, i + 1, source, frozenset()) for i, source in enumerate(program.cells)]
    flow = dataflow.analyze(cells)
    return {look for look in seen if CHANGER not in flow.upstream([look])}


@pytest.mark.slow
@pytest.mark.parametrize("maker", mutation_parts.MAKERS)
def test_every_way_to_change_what_was_just_made_is_seen(maker: str) -> None:
    with mutations.quiet():
        programs = [Program(maker, "x", changer) for changer in mutation_parts.CHANGERS]
        assert {p.changer: missed(p) for p in programs if missed(p)} == {}


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
def test_changes_through_what_was_passed_on_are_seen() -> None:
    changing, wrong = 0, []
    with mutations.quiet():
        for program in mutations.sample(COUNT, seed=20261121):
            changing += bool(program.changed())
            if missed(program):
                wrong.append(program)
    assert wrong == []
    assert changing > COUNT // 20, "hardly any program changes anything: the test tests nothing"


def test_a_change_that_does_not_happen_is_not_always_assumed() -> None:
    """The analysis would be right, and useless, if everything changed everything."""
    unmoved = [
        Program("[1, 2]", "list(x)", "y.append(1)"),
        Program('{"a": 1}', "dict(x)", "y.clear()"),
        Program("np.arange(4)", "x.copy()", "y[0] = 9"),
        Program('pd.DataFrame({"a": [1]})', "x.copy()", 'y["a"] = 9'),
        Program("[[1]]", "copy.deepcopy(x)", "y[0].append(1)"),
        Program('"b a"', "x.split()", "y.sort()"),
    ]
    for program in unmoved:
        assert program.changed() == {6}
        cells = [Cell(i, i + 1, text, frozenset()) for i, text in enumerate(program.cells)]
        assert CHANGER not in dataflow.analyze(cells).upstream([5]), program
