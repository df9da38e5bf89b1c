"""The corpus, run as steps: never silently wrong. ``python -m tests.equivalence`` prints it all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from .corpus import BY_NAME, CASES
from .harness import Class, slice_table, table, totals
from .oracle import Forked
from .ours import Ours
from .suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with Forked(2) as oracle, Ours() as ours:
        yield Suite(ours, oracle, workers=2)


#: Here a given value does what editing the cell would do; with plain papermill it does not: it
#: leaves what is derived in the same cell, and makes lists of tuples.
EDITED = {
    "parameter_derived_in_same_cell": ("alpha = 1\n", "alpha = 5\n"),
    "unpacking": ('record = ("ann", 3, 4, 5)', 'record = ("bob", 6, 7)'),
}


@pytest.mark.parametrize(("split", "changed"), [("cells", False), ("auto", False), ("cells", True)])
def test_steps_show_and_hold_what_the_notebook_does(
    suite: Suite, split: str, changed: bool
) -> None:
    cases = [case for case in CASES if not changed or case.name not in EDITED]
    verdicts = suite.verdicts(cases, split=split, changed=changed)
    print(totals(verdicts))
    wrong = [row for row in verdicts if row.kind in (Class.SILENT, Class.LOUD)]
    assert not wrong, table(wrong)


@pytest.mark.parametrize("name", EDITED)
def test_a_parameter_does_what_editing_does(suite: Suite, name: str) -> None:
    case = BY_NAME[name]
    edited = replace(case, cells=[case.cells[0].replace(*EDITED[name]), *case.cells[1:]])
    (verdict,) = suite.verdicts([case], split="cells", changed=True, wanted=edited)
    assert verdict.kind in (Class.EXACT, Class.MERGED), verdict.found


def test_slices_give_the_value_alone(suite: Suite) -> None:
    slices = suite.slices(CASES)
    print(slice_table(slices))
    assert {row.case.name: row.refusal or row.cells for row in slices if not row.right} == {}
    # No cell can be left out, but where the case says why.
    assert {row.case.name: row.removable for row in slices if not row.good} == {}


def test_no_cell_that_a_parameter_reaches_is_left_out(suite: Suite) -> None:
    missing = {row.case.name: row.missing for row in suite.reached(CASES) if row.missing}
    assert not missing


def test_hidden_state_is_told(suite: Suite) -> None:
    assert not suite.hidden(CASES)
