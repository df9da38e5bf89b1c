"""Sets are gone through in the same order after the hand-over."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover import sets
from tests.runtime.handover.program import Program


def word(source: random.Random) -> str:
    return "".join(source.choice("abcdefgh") for _ in range(5))


def made(source: random.Random, number: int) -> set[Any]:
    size = source.randint(2, 200)
    some = {word(source) for _ in range(size)}
    if number % 3 == 1:
        some |= {word(source) for _ in range(size)}
    if number % 3 == 2:
        some = some - {word(source) for _ in range(size * 50)}
    return some


def test_every_set_without_removals_gets_its_order_again() -> None:
    source = random.Random(0)
    disordered = 0
    for number in range(300):
        value = made(source, number)
        if sets.needs_plan(value):
            disordered += 1
            found = sets.plan(value)
            assert found is not None
            again: set[Any] = set()
            sets.refill(again, *found)
            assert list(again) == list(value)
    assert disordered > 50


def test_a_plan_is_right_or_there_is_none() -> None:
    source = random.Random(1)
    for number in range(300):
        value = made(source, number)
        for each in list(value)[:: source.randint(2, 4)]:
            value.discard(each)
        found = sets.plan(value)
        if found is not None:
            again: set[Any] = set()
            sets.refill(again, *found)
            assert list(again) == list(value)


def test_an_order_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    source = (
        "import random\nr = random.Random(0)\n"
        "words = [''.join(r.choice('abcdefgh') for _ in range(5)) for _ in range(400)]\n"
        "f = [frozenset(words[:n]) for n in range(2, 400)]"
    )
    (problem,) = Program(tmp_path).step(source, wanted="f").problems
    assert problem.reason == "It holds a set whose order cannot be kept."
