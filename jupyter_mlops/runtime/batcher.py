"""Predictions of one process: who waits, who goes together, and who is too late.

There is no timer. When the model is idle, what has arrived is predicted at once; while it works,
requests wait, and the next call takes all of them up to a number of rows.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

#: A call that takes longer does not block the event loop; it goes to the model's thread.
INLINE_SECONDS = 0.002


class Busy(RuntimeError):
    """More rows wait than the service wants to keep."""


class Late(RuntimeError):
    """The answer did not come before the request's deadline."""


class Work(Protocol):
    """What is predicted: rows of one request, or of several of the same kind."""

    @property
    def count(self) -> int:
        """The number of rows."""

    def run(self, model: Any) -> list[Any]:
        """Predict; one answer for each row, where the model gives as many."""

    def joined(self, others: Sequence[Any]) -> Any | None:
        """Return one piece of work for all of them; None where they cannot go together."""


class Observer(Protocol):
    """Whoever counts what the batcher does."""

    def waited(self, seconds: float) -> None:
        """One request waited for the model."""

    def predicted(self, rows: int, seconds: float) -> None:
        """One call of the model ended."""


class _Waiting:
    __slots__ = ("deadline", "future", "since", "work")

    def __init__(self, work: Work, deadline: float, future: asyncio.Future[list[Any]]) -> None:
        self.work = work
        self.deadline = deadline
        self.future = future
        self.since = time.perf_counter()


class Batcher:
    """Feeds one model: one call at a time, in the order of arrival.

    ``fixed`` and ``each`` are the measured seconds of a call and of a row in it. ``together`` says
    whether requests may share a call.
    """

    def __init__(
        self, model: Any, observer: Observer, *, waiting: int, batch_rows: int, together: bool
    ) -> None:
        self.together = together
        self.fixed, self.each = 2 * INLINE_SECONDS, 0.0  # until it is measured
        self._model = model
        self._observer = observer
        self._limit = waiting
        self._batch_rows = batch_rows
        self._queue: deque[_Waiting] = deque()
        self._rows = 0
        self._running = False
        self._scheduled = False
        # One thread: models are not thread-safe, and two of them would only share the cores.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")

    async def predict(self, work: Work, seconds: float) -> list[Any]:
        """Return the answers to one request's rows.

        Raises ``Busy``, ``Late`` after ``seconds``, and whatever the model raises on these rows.
        """
        if self._queue and self._rows + work.count > self._limit:
            raise Busy
        loop = asyncio.get_running_loop()
        waiting = _Waiting(work, loop.time() + seconds, loop.create_future())
        self._queue.append(waiting)
        self._rows += work.count
        if not self._running and not self._scheduled:
            # Once what else has arrived by now was read: all of it goes together.
            self._scheduled = True
            loop.call_soon(self._next)
        timer = loop.call_at(waiting.deadline, _expire, waiting)
        try:
            return await waiting.future
        finally:
            timer.cancel()

    def _next(self) -> None:
        self._scheduled = False
        loop = asyncio.get_running_loop()
        while not self._running and (batch := self._take()):
            rows = sum(each.work.count for each in batch)
            if self.fixed + self.each * rows <= INLINE_SECONDS:
                self._settle(batch, self._outcomes([each.work for each in batch]))
                if self._queue:
                    # Others have their turn between two calls.
                    self._scheduled = True
                    loop.call_soon(self._next)
                return
            self._running = True
            future = loop.run_in_executor(
                self._thread, self._outcomes, [each.work for each in batch]
            )
            future.add_done_callback(lambda done, batch=batch: self._done(batch, done))  # type: ignore[misc]

    def _take(self) -> list[_Waiting]:
        """Take who is next, and who may go with it; forget those who gave up."""
        batch: list[_Waiting] = []
        rows = 0
        now = time.perf_counter()
        while self._queue:
            first = self._queue[0]
            if not first.future.done():
                if batch and (not self.together or rows + first.work.count > self._batch_rows):
                    break
                batch.append(first)
                rows += first.work.count
                self._observer.waited(now - first.since)
            self._queue.popleft()
            self._rows -= first.work.count
        return batch

    def _outcomes(self, works: list[Work]) -> tuple[list[list[Any] | Exception], float, int]:
        """Predict in one call; where that fails, each on its own: a bad row harms no other."""
        start = time.perf_counter()
        rows = sum(work.count for work in works)
        outcomes = self._together(works) if len(works) > 1 else None
        if outcomes is None:
            outcomes = [self._alone(work) for work in works]
        return outcomes, time.perf_counter() - start, rows

    def _together(self, works: list[Work]) -> list[list[Any] | Exception] | None:
        joined = works[0].joined(works[1:])
        if joined is None:
            return None
        try:
            answers = joined.run(self._model)
        except (Exception, SystemExit):
            return None
        if len(answers) != joined.count:
            return None
        parts: list[list[Any] | Exception] = []
        start = 0
        for work in works:
            parts.append(answers[start : start + work.count])
            start += work.count
        return parts

    def _alone(self, work: Work) -> list[Any] | Exception:
        try:
            return work.run(self._model)
        except SystemExit:
            return RuntimeError("The predictor called sys.exit().")
        except Exception as error:
            # The notebook's function may raise anything.
            return error

    def _done(self, batch: list[_Waiting], done: asyncio.Future[Any]) -> None:
        self._running = False
        if done.cancelled():
            return
        self._settle(batch, done.result())
        self._next()

    def _settle(
        self, batch: list[_Waiting], result: tuple[list[list[Any] | Exception], float, int]
    ) -> None:
        outcomes, seconds, rows = result
        self._observer.predicted(rows, seconds)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.future.done():
                continue
            if isinstance(outcome, Exception):
                waiting.future.set_exception(outcome)
            else:
                waiting.future.set_result(outcome)

    def calibrate(self, work: Callable[[int], Work]) -> None:
        """Measure what a call costs: ``work(n)`` makes one of n rows. Called before any request."""
        few, many = self._seconds(work(1)), self._seconds(work(32))
        self.each = max(0.0, (many - few) / 31)
        self.fixed = max(0.0, few - self.each)

    def _seconds(self, work: Work) -> float:
        taken = []
        for _ in range(3):
            start = time.perf_counter()
            work.run(self._model)
            taken.append(time.perf_counter() - start)
        return min(taken)

    def close(self) -> None:
        """Let the model finish what it has begun."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _expire(waiting: _Waiting) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(Late())
