"""A thousand malformed notebooks: a result or one clear error, never a traceback or a hang.

``MLOPS_NOTEBOOKS`` says how many; ``make soak`` looks at twenty thousand.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.malformed.generator import make, plan
from tests.malformed.kinds import HEAVY, KINDS
from tests.malformed.pool import look_at
from tests.malformed.sentences import unclear

MANY = int(os.environ.get("MLOPS_NOTEBOOKS") or 1000)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_each_gives_a_result_or_a_clear_error() -> None:
    every = list(look_at(plan(MANY)))
    wrong = [
        f"{fault}\n    again: python -m tests.malformed --count 1"
        f" --kind {seen.kind} --seed {seen.seed}"
        for seen in every
        for fault in seen.wrong
    ]
    assert not wrong, "\n".join(wrong)
    assert {seen.kind for seen in every} == set(KINDS)
    words = {seen.word for seen in every}
    assert words == {"result", "problems", "refused"}


def test_a_thousand_hold_every_kind() -> None:
    planned = [kind for kind, _ in plan(1000)]
    assert set(planned) == set(KINDS)
    assert all(planned.count(kind) >= (1 if kind in HEAVY else 10) for kind in KINDS)


def test_a_seed_gives_the_same_file_whatever_was_made_before(tmp_path: Path) -> None:
    kinds = sorted(set(KINDS) - HEAVY)
    found: list[dict[str, tuple[str, bytes]]] = []
    for order in (kinds, kinds[::-1]):
        made = {}
        for kind in order:
            folder = tmp_path / str(len(found)) / kind
            folder.mkdir(parents=True)
            path = make(kind, 7, folder)
            made[kind] = (path.name, path.read_bytes() if path.is_file() else b"")
        found.append(made)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("n.ipynb: The notebook is damaged.", ""),
        ("cell 3: The cell is not valid Python: invalid syntax (line 1).", ""),
        ("The notebook is damaged.", "where"),
        ("n.ipynb: KeyError: 'cells'.", "programmer"),
        ("n.ipynb: 'str' object has no attribute 'x'.", "programmer"),
        ("n.ipynb: The notebook\nis damaged.", "line"),
        ("n.ipynb: The \x1b[31mnotebook is damaged.", "terminal"),
        ("n.ipynb: " + "x" * 600 + ".", "long"),
        ("n.ipynb: The notebook is damaged", "end"),
    ],
)
def test_what_a_clear_sentence_is(sentence: str, why: str) -> None:
    assert why in unclear(sentence, "n.ipynb")
    assert bool(why) == bool(unclear(sentence, "n.ipynb"))
