"""Puts an extractor through the whole corpus.

.. code-block:: python

    with Forked(2) as oracle:
        suite = Suite(MyExtractor(), oracle)
        verdicts = suite.verdicts(CASES, split="cells", changed=False)
        print(table(verdicts))
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from .case import Case, write
from .harness import (
    Extractor,
    Got,
    Reached,
    Slice,
    Verdict,
    check_hidden,
    check_reached,
    check_slice,
    compare,
)
from .oracle import Forked, Oracle
from .recorded import Recorded

T = TypeVar("T")


class Suite:
    """An extractor, and the oracles it is held against."""

    def __init__(
        self, extractor: Extractor, forked: Forked, official: Oracle | None = None, workers: int = 1
    ) -> None:
        self._extractor = extractor
        self._forked = forked
        self._official = official or forked
        self._workers = workers
        self._whole: dict[tuple[str, bool], Recorded] = {}

    def whole(self, case: Case, changed: bool = False) -> Recorded:
        """What the notebook computes, with its own or the changed parameters; run once."""
        key = (case.name, changed)
        if key not in self._whole:
            self._whole[key] = self._official.run(case, case.parameters if changed else {})
        return self._whole[key]

    def verdicts(
        self,
        cases: Iterable[Case],
        *,
        split: str = "cells",
        changed: bool = False,
        wanted: Case | None = None,
    ) -> list[Verdict]:
        """One verdict per case; with ``changed``, of those that have a parameter to change.

        ``wanted`` is a notebook that computes what is right, where the case itself does not.
        """
        able = [case for case in cases if case.parameters or not changed]
        return self._each(able, lambda case: self._verdict(case, split, changed, wanted))

    def slices(self, cases: Iterable[Case]) -> list[Slice]:
        """The slice of every target."""
        return self._each([case for case in cases if case.target], self._slice)

    def reached(self, cases: Iterable[Case]) -> list[Reached]:
        """The cells named for every changed parameter."""
        return self._each([case for case in cases if case.parameters], self._reached)

    def hidden(self, cases: Iterable[Case]) -> dict[str, list[str]]:
        """Case name -> words that the report about hidden state misses; only where some are."""
        able = [case for case in cases if case.hidden]
        found = zip(able, self._each(able, self._hidden), strict=True)
        return {case.name: words for case, words in found if words}

    def _each(self, cases: list[Case], work: Callable[[Case], T]) -> list[T]:
        with ThreadPoolExecutor(self._workers) as threads:
            return list(threads.map(work, cases))

    def _verdict(self, case: Case, split: str, changed: bool, wanted: Case | None) -> Verdict:
        parameters = case.parameters if changed else {}
        with _written(case) as (notebook, folder):
            try:
                got = self._extractor.split_run(
                    notebook, split=split, parameters=parameters, folder=folder
                )
            except Exception as error:
                got = Got([], crash=f"{type(error).__name__}: {error}")
        right = self._forked.run(wanted) if wanted is not None else self.whole(case, changed)
        return compare(case, right, got)

    def _slice(self, case: Case) -> Slice:
        with _written(case) as (notebook, _):
            return check_slice(case, notebook, self._extractor, self._forked, self.whole(case))

    def _reached(self, case: Case) -> Reached:
        with _written(case) as (notebook, _):
            return check_reached(case, notebook, self._extractor)

    def _hidden(self, case: Case) -> list[str]:
        with _written(case) as (notebook, _):
            return check_hidden(case, notebook, self._extractor)


@contextmanager
def _written(case: Case) -> Iterator[tuple[Path, Path]]:
    """The notebook with its files in one folder, and an empty folder to work in."""
    with tempfile.TemporaryDirectory(prefix="equivalence-") as place:
        folder = Path(place) / "work"
        folder.mkdir()
        yield write(case, Path(place) / "notebook"), folder
