"""Who goes together, who waits, who is too late: the batcher with a model of our own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from jupyter_mlops.runtime.batcher import Batcher, Busy, Late


class Model:
    """Doubles numbers; remembers each call, and can be held up."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()


class Numbers:
    def __init__(self, *values: int) -> None:
        self.values = list(values)

    @property
    def count(self) -> int:
        return len(self.values)

    def run(self, model: Model) -> list[Any]:
        model.go.wait(10)
        model.calls.append(self.values)
        if -1 in self.values:
            raise ValueError("a bad row")
        if -2 in self.values:
            raise SystemExit
        return [2 * value for value in self.values]

    def joined(self, others: Sequence[Any]) -> Numbers:
        return Numbers(*self.values, *(value for other in others for value in other.values))


class Seen:
    def __init__(self) -> None:
        self.rows: list[int] = []
        self.waits = 0

    def waited(self, seconds: float) -> None:
        self.waits += 1

    def predicted(self, rows: int, seconds: float) -> None:
        self.rows.append(rows)


def batcher(model: Model, seen: Seen, *, inline: bool, **options: Any) -> Batcher:
    made = Batcher(model, seen, **{"waiting": 100, "batch_rows": 8, "together": True, **options})
    made.fixed = 0.0 if inline else 1.0
    return made


@pytest.mark.parametrize("inline", [True, False])
def test_what_waits_goes_together_and_a_bad_row_alone(inline: bool) -> None:
    model, seen = Model(), Seen()

    async def scene() -> list[Any]:
        made = batcher(model, seen, inline=inline)
        asked = [Numbers(1), Numbers(2, 3), Numbers(-1), Numbers(-2), Numbers(4)]
        calls = (made.predict(each, 5) for each in asked)
        return await asyncio.gather(*calls, return_exceptions=True)

    first, second, bad, ending, last = asyncio.run(scene())
    assert (first, second, last) == ([2], [4, 6], [8])
    assert isinstance(bad, ValueError)
    assert isinstance(ending, RuntimeError)
    assert model.calls[0] == [1, 2, 3, -1, -2, 4]
    assert seen.rows == [6] and seen.waits == 5


def test_a_batch_has_so_many_rows_at_most_and_keeps_the_order() -> None:
    model, seen = Model(), Seen()

    async def scene() -> list[Any]:
        made = batcher(model, seen, inline=True)
        large = Numbers(*range(20))
        calls = [made.predict(each, 5) for each in (Numbers(1), large, *map(Numbers, range(9)))]
        return await asyncio.gather(*calls)

    answers = asyncio.run(scene())
    assert answers[1] == [2 * value for value in range(20)]
    assert answers[2:] == [[2 * value] for value in range(9)]
    assert [len(call) for call in model.calls] == [1, 20, 8, 1]


def test_nothing_is_joined_that_was_not_proven() -> None:
    model, seen = Model(), Seen()

    async def scene() -> None:
        made = batcher(model, seen, inline=True, together=False)
        await asyncio.gather(*(made.predict(Numbers(n), 5) for n in range(3)))

    asyncio.run(scene())
    assert model.calls == [[0], [1], [2]]


def test_the_queue_is_bounded_in_rows() -> None:
    model, seen = Model(), Seen()
    model.go.clear()

    async def scene() -> None:
        made = batcher(model, seen, inline=False, waiting=5)
        running = asyncio.create_task(made.predict(Numbers(*range(50)), 5))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(made.predict(Numbers(1, 2, 3), 5))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await made.predict(Numbers(4, 5, 6), 5)
        fits = asyncio.create_task(made.predict(Numbers(7), 5))
        await asyncio.sleep(0)
        model.go.set()
        assert len(await running) == 50
        assert await waiting == [2, 4, 6]
        assert await fits == [14]

    asyncio.run(scene())


def test_who_is_late_is_told_and_never_predicted() -> None:
    model, seen = Model(), Seen()
    model.go.clear()

    async def scene() -> None:
        made = batcher(model, seen, inline=False)
        running = asyncio.create_task(made.predict(Numbers(1), 5))
        await asyncio.sleep(0.05)
        with pytest.raises(Late):
            await made.predict(Numbers(99), 0.05)
        gone = asyncio.create_task(made.predict(Numbers(98), 5))
        await asyncio.sleep(0)
        gone.cancel()
        model.go.set()
        assert await running == [2]
        assert await made.predict(Numbers(3), 5) == [6]

    asyncio.run(scene())
    assert model.calls == [[1], [3]]
