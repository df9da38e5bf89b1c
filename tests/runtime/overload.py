"""Twice as many requests as a service can answer, at even times, whoever is still waiting."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from statistics import quantiles

import msgspec

BODY = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
#: More than these wait for no answer at once.
AT_ONCE = 500
HEAD = (
    b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n" % len(BODY)
)


class Load(msgspec.Struct):
    """What came back: how many of each status, and seconds of the accepted, by when."""

    statuses: Counter[str]
    accepted: list[tuple[float, float]]

    def p99(self, part: int, of: int) -> float:
        """Return the 99th percentile of one part of the time, in seconds."""
        ends = max(at for at, _ in self.accepted)
        chosen = [
            taken for at, taken in self.accepted if part * ends / of <= at <= (part + 1) * ends / of
        ]
        return quantiles(chosen, n=100)[98]


class Pool:
    """Connections that are free; a new one where there is none."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self) -> str:
        """Send one request and return its status, or that the connection was lost."""
        try:
            reader, writer = self._kept()
            if reader is None or writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(HEAD + BODY)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, asyncio.IncompleteReadError):
            return "lost"
        self.free.append((reader, writer))
        return head[9:12].decode()

    def _kept(self) -> tuple[asyncio.StreamReader | None, asyncio.StreamWriter | None]:
        """Return a connection that the service has not closed as idle meanwhile."""
        while self.free:
            reader, writer = self.free.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None, None

    def close(self) -> None:
        """Close all."""
        for _, writer in self.free:
            writer.close()


async def sustainable(port: int, seconds: float, callers: int = 8) -> float:
    """Return how many requests a second callers get answered who wait for each."""
    pool = Pool(port)
    count = 0
    ends = time.monotonic() + seconds

    async def call() -> None:
        nonlocal count
        while time.monotonic() < ends:
            status = await pool.ask()
            count += status == "200"

    await asyncio.gather(*(call() for _ in range(callers)))
    pool.close()
    return count / seconds


async def load(port: int, rate: float, seconds: float) -> Load:
    """Send requests at a rate, without waiting for answers."""
    pool = Pool(port)
    found = Load(Counter(), [])
    tasks: set[asyncio.Task[None]] = set()
    start = time.monotonic()

    async def one() -> None:
        began = time.monotonic()
        status = await pool.ask()
        found.statuses[status] += 1
        if status == "200":
            found.accepted.append((began - start, time.monotonic() - began))

    sent = 0
    while (now := time.monotonic() - start) < seconds:
        while sent < now * rate:
            sent += 1
            if len(tasks) >= AT_ONCE:  # this machine stood still: no flood afterwards
                found.statuses["not sent"] += 1
                continue
            task = asyncio.create_task(one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(0.002)
    await asyncio.gather(*tasks)
    pool.close()
    return found
