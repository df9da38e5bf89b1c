"""The harness itself: what cannot be wrong passes, what is wrong is caught."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .case import Case, cells, read, write
from .corpus import BY_NAME, CASES
from .extractors import NamesOnly, OneStep
from .harness import Class, Got, Slice, compare, is_sentence, slice_table, table
from .oracle import Forked, Papermill, program
from .recorded import CellRecord, Recorded, clean
from .suite import Suite

WORKERS = 2
SOME = ("chain", "alias_simple", "file_append", "iterator_consumed", "raises_exception")
# Names say nothing about these; steps made of names only are wrong without a word.
SILENT = (
    "list_append", "dict_item_store", "alias_simple", "alias_in_container",
    "function_mutates_argument", "class_attribute_store", "pandas_option", "environment_variable",
    "iterator_consumed", "generator_object", "decimal_context", "alias_numpy_view",
    "parameter_list_mutated", "warnings_filter",
)  # fmt: skip
LOUD = (
    "attribute_store",
    "estimator_fit",
    "file_pathlib",
    "global_defines_new_name",
    "exec_string",
    "del_name",
)
RIGHT = ("chain", "redefinition", "comprehension_scope", "wide_diamond", "unpacking")
CASE = Case("two", "two cells", ["a = 1", "print(a)"])
RUN = Recorded([CellRecord(1), CellRecord(2, ["stdout: 1\n"])], {"a": "int 1"})


@pytest.fixture(scope="module")
def oracle() -> Iterator[Forked]:
    with Forked(WORKERS) as started:
        yield started


def _got(run: Recorded = RUN, **more: object) -> Got:
    steps = more.pop("steps", [[1], [2]])
    return Got(run.cells, run.values, steps=steps, **more)  # type: ignore[arg-type]


def test_equal_is_exact() -> None:
    assert compare(CASE, RUN, _got()).kind is Class.EXACT


def test_merged_steps_are_said() -> None:
    verdict = compare(CASE, RUN, _got(steps=[[1, 2]], merges=["A generator cannot be cut."]))
    assert verdict.kind is Class.MERGED
    assert verdict.worse


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        ("Cell 2 patches a library; take the patch out.", Class.REFUSED),
        ("KeyError: 'x'", Class.LOUD),
    ],
)
def test_a_refusal_needs_a_sentence(refusal: str, kind: Class) -> None:
    assert compare(CASE, RUN, Got([], refusal=refusal)).kind is kind
    assert is_sentence(refusal) == (kind is Class.REFUSED)


def test_an_error_that_the_notebook_does_not_have_is_loud() -> None:
    cells = [CellRecord(1), CellRecord(2, error="NameError")]
    assert compare(CASE, RUN, _got(Recorded(cells, {"a": "int 1"}))).kind is Class.LOUD
    assert compare(CASE, RUN, Got([], crash="The step did not start.")).kind is Class.LOUD


def test_an_error_that_the_notebook_has_too_is_right() -> None:
    failing = Recorded([CellRecord(1), CellRecord(2, error="NameError")])
    assert compare(CASE, failing, _got(failing)).kind is Class.EXACT


@pytest.mark.parametrize(
    "wrong",
    [
        Recorded(RUN.cells, {"a": "int 2"}),
        Recorded(RUN.cells, {}),
        Recorded(RUN.cells, {"a": "int 1", "b": "int 1"}),
        Recorded([CellRecord(1), CellRecord(2, ["stdout: 2\n"])], RUN.values),
        Recorded([CellRecord(1), CellRecord(2, RUN.cells[1].outputs, images=1)], RUN.values),
        Recorded(RUN.cells[:1], RUN.values),
    ],
)
def test_every_other_difference_is_silent(wrong: Recorded) -> None:
    assert compare(CASE, RUN, _got(wrong)).kind is Class.SILENT


@pytest.mark.parametrize("steps", [[[1]], [[1], [1, 2]], [[2], [3]]])
def test_dropped_and_doubled_cells_are_silent(steps: list[list[int]]) -> None:
    assert compare(CASE, RUN, _got(steps=steps)).kind is Class.SILENT


def test_the_table_says_it_all() -> None:
    text = table([compare(CASE, RUN, _got()), compare(CASE, RUN, Got([], refusal="No."))])
    assert "2/2  exact" in text
    assert "2 notebooks · exact: 1 · exact after merge: 0 · refused with reason: 0" in text
    assert "loud: 1 · silent: 0 · 2 steps of 2 cells" in text
    assert "1 slices · right: 1" in slice_table([Slice(CASE, [1], right=True)])


def test_clocks_and_addresses_are_no_differences() -> None:
    assert clean("stdout: CPU times: user 1 ms\nWall time: 2 s\nkept\n") == "stdout: kept\n"
    assert clean("result: <A at 0x7f0012ab34cd>") == "result: <A at 0x…>"
    assert clean("result: 0xff") == "result: 0xff"


def test_a_case_survives_the_disk(tmp_path: object) -> None:
    case = BY_NAME["file_beside"]
    again = read(write(case, tmp_path))  # type: ignore[arg-type]
    assert (again.code, again.files) == (case.code, case.files)
    assert program(again, {"column": "w"}) == program(case, {"column": "w"})


def test_cells_are_cut_at_their_lines() -> None:
    text = "a = 1\n# %% [markdown]\n# Title\n# %%\nb = 2  # %%\n"
    assert cells(text) == ["a = 1", "# %% [markdown]\n# Title", "b = 2  # %%"]


@pytest.mark.parametrize("name", SOME)
def test_one_step_is_always_exact(name: str, oracle: Forked) -> None:
    suite = Suite(OneStep(oracle), oracle)
    case = BY_NAME[name]
    for changed in (False, True):
        (verdict,) = suite.verdicts([case], changed=changed)
        assert verdict.kind is Class.EXACT, verdict.found
    (cut,) = suite.slices([case])
    assert cut.right
    (named,) = suite.reached([case])
    assert not named.missing


def test_a_slice_of_all_cells_is_larger_than_it_must_be(oracle: Forked) -> None:
    (cut,) = Suite(OneStep(oracle), oracle).slices([BY_NAME["chain"]])
    assert cut.right
    assert cut.removable == [3]
    assert not cut.good


def test_a_report_without_words_is_seen(oracle: Forked) -> None:
    missing = Suite(OneStep(oracle), oracle).hidden(CASES)
    assert missing["hidden_undefined_name"] == BY_NAME["hidden_undefined_name"].hidden


@pytest.mark.parametrize("name", SILENT)
def test_names_only_is_caught(name: str, oracle: Forked) -> None:
    (verdict,) = Suite(NamesOnly(oracle), oracle).verdicts([BY_NAME[name]])
    assert verdict.kind is Class.SILENT, verdict


@pytest.mark.parametrize("name", LOUD)
def test_names_only_fails_aloud(name: str, oracle: Forked) -> None:
    (verdict,) = Suite(NamesOnly(oracle), oracle).verdicts([BY_NAME[name]])
    assert verdict.kind is Class.LOUD, verdict


@pytest.mark.parametrize("name", RIGHT)
def test_names_are_enough_for_some(name: str, oracle: Forked) -> None:
    suite = Suite(NamesOnly(oracle), oracle)
    (verdict,) = suite.verdicts([BY_NAME[name]])
    assert verdict.kind is Class.EXACT, verdict.found
    (cut,) = suite.slices([BY_NAME[name]])
    assert cut.right


@pytest.mark.parametrize("name", ["list_append", "alias_simple", "environment_variable"])
def test_wrong_slices_and_reached_cells_are_caught(name: str, oracle: Forked) -> None:
    suite = Suite(NamesOnly(oracle), oracle)
    (cut,) = suite.slices([BY_NAME[name]])
    (named,) = suite.reached([BY_NAME[name]])
    assert not cut.right
    assert named.missing


@pytest.mark.slow
def test_one_step_is_exact_everywhere(oracle: Forked) -> None:
    suite = Suite(OneStep(oracle), oracle, workers=WORKERS)
    for changed in (False, True):
        verdicts = suite.verdicts(CASES, changed=changed)
        assert {verdict.kind for verdict in verdicts} == {Class.EXACT}, table(verdicts)
    assert all(cut.right for cut in suite.slices(CASES))
    assert not any(named.missing for named in suite.reached(CASES))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["raises_exception", "magic_time_line", "plot_axes_object"])
def test_both_oracles_see_the_same(name: str, oracle: Forked) -> None:
    case = BY_NAME[name]
    for parameters in ({}, case.parameters):
        seen, official = oracle.run(case, parameters), Papermill().run(case, parameters)
        assert (seen.cells, seen.values) == (official.cells, official.values)
