"""What the corpus says about itself is true: found out by running its cells."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from .case import Case
from .corpus import CASES
from .oracle import Forked
from .truth import problems

WORKERS = 2
PROBES = (
    "chain", "redefinition", "irrelevant read", "comprehension scope", "default arg binds early",
    "loop variable leaks", "`t += v` in loop", "walrus", "conditional rebinding", "`del x`",
    "`exec(str)`", "star import", "`%time x=5` / `%%capture out`", "`x = !cmd`",
    "`!echo > f` then open", "write file, read file (pathlib)", "write file, read file (open)",
    "os.environ", "list.append", "`d[k]=`, `df[c]=`, `df.loc=`", "`df.drop(inplace=True)`",
    "estimator.fit", "attribute store", "class attribute store", "alias `b=a; b.append`",
    "alias inside container", "optimizer holds params (alias)",
    "function reads later-changed global", "function writes global", "function mutates argument",
    "decorator registry", "monkeypatch module", "iterator / RNG object consumed",
    "np.random.seed / pd.set_option / sys.path", "`%matplotlib inline`",
)  # fmt: skip


@pytest.fixture(scope="module")
def checked() -> Iterator[dict[str, list[str]]]:
    """The problems of every case; all cases are run at once, on two cores."""
    with Forked(WORKERS) as oracle, ThreadPoolExecutor(WORKERS) as threads:
        found = threads.map(lambda case: problems(case, oracle), CASES)
        yield dict(zip([case.name for case in CASES], found, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_case_says_is_true(case: Case, checked: dict[str, list[str]]) -> None:
    assert not checked[case.name], "\n".join(checked[case.name])


# Probes that share a row of the table of probes.
SHARED = {
    "`%time x=5` / `%%capture out`": 2,
    "`d[k]=`, `df[c]=`, `df.loc=`": 3,
    "iterator / RNG object consumed": 2,
    "np.random.seed / pd.set_option / sys.path": 3,
}


@pytest.mark.parametrize("probe", PROBES)
def test_every_probe_is_in_the_corpus(probe: str) -> None:
    having = [case for case in CASES if probe in case.construct]
    assert len(having) >= SHARED.get(probe, 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cases_are_whole(case: Case) -> None:
    numbers = set(range(1, len(case.code) + 1))
    assert 3 <= len(numbers) <= 8
    assert case.minimal <= numbers
    assert (case.reached or set()) <= numbers
    assert bool(case.parameters) == (case.reached is not None)
    assert case.target or case.hidden
    assert case.counts is None or len(case.counts) == len(numbers)
