"""The corpus, traced: what the code says and what the run shows do not contradict each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import stars
from jupyter_mlops.pipeline import dataflow, evidence, trace

from .case import Case, write
from .corpus import CASES
from .oracle import Forked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Cells that change more than their code tells; the hand-over between steps sees it, too.
UNTOLD = {
    "generator_function": "changes 'stream'",  # a generator reads names when it goes on
    "lru_cache": "changes 'price'",  # the cache inside of the function
    "file_pickle": "changes 'Box'",  # pickle notes the class's slots in it
    "user_ns_push": "changes 'pushed'",  # IPython binds it
    "thread_appends": "changes 'results'",  # a thread does, when it likes
    "study_gradient_descent": "changes 'Model'",
}


@pytest.fixture(scope="module")
def oracle() -> Iterator[Forked]:
    with Forked(2) as made:
        yield made


def settled(case: Case, oracle: Forked, folder: Path) -> evidence.Evidence:
    place = folder / case.name
    place.mkdir()
    notebook = stars.resolve(notebooks.read(write(case, place)))
    traced = place / "trace.jsonl"
    oracle.run(case, trace=traced)
    flow = dataflow.analyze(notebook.cells, list(case.parameters), notebook.stars)
    return evidence.settle(flow, trace.read(traced))


def test_the_run_shows_no_need_that_the_code_does_not_tell(oracle: Forked, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda case: settled(case, oracle, tmp_path), CASES))
    by_name = {case.name: each for case, each in zip(CASES, found, strict=True)}
    assert {name: each.together for name, each in by_name.items() if each.together} == {}
    told = {name: each.contradictions for name, each in by_name.items() if each.contradictions}
    assert {name for name in told if UNTOLD.get(name, " ") not in " ".join(told[name])} == set()
    seen = Counter(edge.evidence for each in found for edge in each.edges)
    print(dict(seen))
    assert seen["both"] > 1000, "hardly any edge was seen in a run: the tracer is asleep"
