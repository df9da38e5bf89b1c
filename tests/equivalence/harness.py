"""Compares what an extractor made of a notebook with what the notebook computes."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .case import Case
from .oracle import Forked
from .recorded import CellRecord, Recorded


class Class(enum.IntEnum):
    """How a comparison went, from best to worst."""

    EXACT = 0
    MERGED = 1
    REFUSED = 2
    LOUD = 3
    SILENT = 4

    @property
    def title(self) -> str:
        """The words of the table."""
        return TITLES[self]


TITLES = {
    Class.EXACT: "exact",
    Class.MERGED: "exact after merge",
    Class.REFUSED: "refused with reason",
    Class.LOUD: "loud",
    Class.SILENT: "silent",
}
BEST = {"exact": Class.EXACT, "merged": Class.MERGED, "refused": Class.REFUSED}


@dataclass(frozen=True)
class Got(Recorded):
    """What the extracted steps showed and left behind, by the notebook's own cell numbers."""

    steps: list[list[int]] = field(default_factory=list)
    """The code cells of each step."""
    merges: list[str] = field(default_factory=list)
    """Sentences: which steps were merged, and why."""
    refusal: str = ""
    """A sentence, where the extractor does not take the notebook."""
    crash: str = ""
    """What went wrong outside of cells: a step that could not start, a value that is missing."""


class Extractor(Protocol):
    """The narrow door to what is tested."""

    def split_run(
        self, notebook: Path, *, split: str, parameters: Mapping[str, object], folder: Path
    ) -> Got:
        """Run as steps (``split``: auto, headings, cells, none) with ``folder`` to work in."""
        ...

    def slice(self, notebook: Path, names: list[str]) -> list[int]:
        """The code cells that the names need; raises to refuse, with a sentence."""
        ...

    def reached(self, notebook: Path, parameters: list[str]) -> set[int]:
        """The code cells that the parameters reach."""
        ...

    def hidden(self, notebook: Path) -> list[str]:
        """Sentences about hidden state."""
        ...


@dataclass(frozen=True)
class Verdict:
    """How one notebook went."""

    case: Case
    kind: Class
    found: list[str] = field(default_factory=list)
    """Sentences: differences, reasons of merges, the refusal."""
    steps: int = 0

    @property
    def worse(self) -> bool:
        """Whether the case hopes for a better class."""
        return self.kind > BEST[self.case.expect]


def differences(one: Recorded, two: Recorded) -> list[str]:
    """Sentences about what ``two`` shows or holds otherwise than ``one``."""
    found: list[str] = []
    numbers = {cell.number for cell in (*one.cells, *two.cells)} - {0}
    for number in sorted(numbers):
        found += _of_cells(number, one.cell(number), two.cell(number))
    if one.failed is None and two.failed is None:
        found += _of_values(one.values, two.values)
    return found


def _of_cells(number: int, one: CellRecord | None, two: CellRecord | None) -> list[str]:
    if one is None or two is None:
        return [f"Cell {number} ran only {'there' if one is None else 'in the notebook'}."]
    found = []
    if one.error != two.error:
        found.append(f"Cell {number} ends with {two.error or 'success'}, not {one.error}.")
    if one.outputs != two.outputs:
        found.append(f"Cell {number} shows {two.outputs}, not {one.outputs}.")
    if one.images != two.images:
        found.append(f"Cell {number} shows {two.images} images, not {one.images}.")
    return found


def _of_values(one: Mapping[str, str], two: Mapping[str, str]) -> list[str]:
    found = [f"{name} is missing at the end." for name in sorted(one.keys() - two.keys())]
    found += [f"{name} is there at the end." for name in sorted(two.keys() - one.keys())]
    both = sorted(one.keys() & two.keys())
    return found + [f"{n} is {two[n]}, not {one[n]}." for n in both if one[n] != two[n]]


def compare(case: Case, oracle: Recorded, got: Got) -> Verdict:
    """The class of one run: silent only where nothing but the result says that it is wrong."""
    steps = len(got.steps)
    if got.refusal:
        kind = Class.REFUSED if is_sentence(got.refusal) else Class.LOUD
        return Verdict(case, kind, [got.refusal], steps)
    if got.crash:
        return Verdict(case, Class.LOUD, [got.crash], steps)
    failed = [cell for cell in got.cells if cell.error and not _fails_too(cell, oracle)]
    found = differences(oracle, got)
    if failed:
        return Verdict(case, Class.LOUD, found, steps)
    found += _about_steps(case, got)
    if found:
        return Verdict(case, Class.SILENT, found, steps)
    return Verdict(case, Class.MERGED if got.merges else Class.EXACT, list(got.merges), steps)


def _fails_too(cell: CellRecord, oracle: Recorded) -> bool:
    same = oracle.cell(cell.number)
    return same is not None and same.error == cell.error


def _about_steps(case: Case, got: Got) -> list[str]:
    """Every cell is in exactly one step: otherwise something was dropped, or done twice."""
    numbers = sorted(number for step in got.steps for number in step)
    if numbers == list(range(1, len(case.code) + 1)):
        return []
    return [f"The steps hold the cells {numbers} of {len(case.code)}."]


def is_sentence(text: str) -> bool:
    """Whether a refusal says something: begins with a capital, a few words, ends with a stop."""
    text = text.strip()
    return text[:1].isupper() and len(text.split()) >= 4 and text.endswith((".", "!", "?"))


@dataclass(frozen=True)
class Slice:
    """How the slice of a case's target went."""

    case: Case
    cells: list[int] = field(default_factory=list)
    right: bool = False
    """Whether the slice alone gives the value."""
    removable: list[int] = field(default_factory=list)
    """Cells that can go without changing the value."""
    refusal: str = ""

    @property
    def good(self) -> bool:
        """Right, and no larger than it must be unless the case is handled conservatively."""
        if self.refusal:
            return self.case.expect == "refused" and is_sentence(self.refusal)
        return self.right and (self.case.conservative or not self.removable)


def check_slice(
    case: Case, notebook: Path, extractor: Extractor, oracle: Forked, whole: Recorded
) -> Slice:
    """Run the slice of the case's target alone, then with each extra cell taken out of it."""
    try:
        cells = sorted(extractor.slice(notebook, [case.target]))
    except Exception as error:
        return Slice(case, refusal=str(error))
    wanted = whole.values[case.target]

    def same(numbers: Iterable[int]) -> bool:
        return oracle.run(case, only=numbers).values.get(case.target) == wanted

    extra = [number for number in cells if number not in case.minimal]
    removable = [number for number in extra if same(set(cells) - {number})]
    return Slice(case, cells, same(cells), removable)


@dataclass(frozen=True)
class Reached:
    """How the cells that a parameter reaches were named."""

    case: Case
    missing: set[int]
    """Reached, but not named: a stale result."""
    extra: set[int]
    """Named, but not reached: needless work."""

    @property
    def good(self) -> bool:
        """Exactly the right cells, or more where the case is handled conservatively."""
        return not self.missing and (self.case.conservative or not self.extra)


def check_reached(case: Case, notebook: Path, extractor: Extractor) -> Reached:
    """Compare the cells named with the truth; the tagged cell itself is left out of it."""
    named = extractor.reached(notebook, list(case.parameters)) - {1}
    truth = (case.reached or set()) - {1}
    return Reached(case, truth - named, named - truth)


def check_hidden(case: Case, notebook: Path, extractor: Extractor) -> list[str]:
    """The words that the report about hidden state should hold and does not."""
    report = " ".join(extractor.hidden(notebook)).lower()
    return [word for word in case.hidden if word.lower() not in report]


def table(verdicts: Iterable[Verdict]) -> str:
    """Per case and in total: the class, and the steps found beside the cells."""
    rows = list(verdicts)
    width = max((len(row.case.name) for row in rows), default=4)
    lines = [f"{'notebook':{width}}  {'steps/cells':>11}  class"]
    for row in rows:
        steps = f"{row.steps}/{len(row.case.code)}"
        hope = f"  (hoped for: {TITLES[BEST[row.case.expect]]})" if row.worse else ""
        lines.append(f"{row.case.name:{width}}  {steps:>11}  {row.kind.title}{hope}")
        if row.kind is not Class.EXACT:
            lines += [f"{'':{width}}               {text[:160]}" for text in row.found[:3]]
    return "\n".join([*lines, "", totals(rows)])


def totals(verdicts: Iterable[Verdict]) -> str:
    """How many notebooks of each class, and the steps found of the cells that ran."""
    rows = list(verdicts)
    counts = [f"{kind.title}: {sum(row.kind is kind for row in rows)}" for kind in Class]
    ran = [row for row in rows if row.steps]
    steps, cells = sum(row.steps for row in ran), sum(len(row.case.code) for row in ran)
    return f"{len(rows)} notebooks · {' · '.join(counts)} · {steps} steps of {cells} cells"


def slice_table(slices: Iterable[Slice]) -> str:
    """Totals for slices: right, as small as can be, larger where allowed, wrong, refused."""
    rows = list(slices)
    right = [row for row in rows if row.right]
    larger = [row for row in right if row.removable]
    cells = sum(len(row.cells) for row in right)
    return (
        f"{len(rows)} slices · right: {len(right)} · of these larger than they must be: "
        f"{len(larger)} · wrong: {sum(not row.right and not row.refusal for row in rows)} · "
        f"refused: {sum(bool(row.refusal) for row in rows)} · {cells} cells where "
        f"{sum(len(row.case.minimal) for row in right)} would do"
    )
