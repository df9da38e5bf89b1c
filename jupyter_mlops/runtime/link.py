"""Requests for ``/v1/runs`` from a worker to the supervisor, which keeps the runs.

One socket for each worker; a message is its length in four bytes and msgpack. When one side is
gone, the other notices at once: a worker without its supervisor ends.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable

import msgspec


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A request, as much of it as runs need."""

    number: int
    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """The answer to the call of the same number."""

    number: int
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Broken(ConnectionError):
    """The other side is gone."""


async def _read(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4), "big")
    return await reader.readexactly(length)


def _framed(message: Call | Reply) -> bytes:
    data = msgspec.msgpack.encode(message)
    return len(data).to_bytes(4, "big") + data


class Caller:
    """The worker's side."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._numbers = itertools.count()
        self._open: dict[int, asyncio.Future[Reply]] = {}
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Pass replies on until the supervisor is gone."""
        reader, self._writer = await asyncio.open_connection(sock=self._socket)
        try:
            while True:
                reply = msgspec.msgpack.decode(await _read(reader), type=Reply)
                if waiting := self._open.pop(reply.number, None):
                    waiting.set_result(reply)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writer.close()
            for waiting in self._open.values():
                waiting.cancel()

    async def call(
        self, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Reply:
        """Send a request and return its answer; raises ``Broken``."""
        if self._writer is None:
            raise Broken
        number = next(self._numbers)
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._open[number] = waiting
        try:
            self._writer.write(_framed(Call(number, method, path, query, headers, body)))
            await self._writer.drain()
            return await waiting
        except OSError as error:
            raise Broken from error
        finally:
            self._open.pop(number, None)


async def answer(sock: socket.socket, handle: Callable[[Call], Awaitable[Reply]]) -> None:
    """Answer calls, each in a task of its own, until the worker is gone: the other side."""
    reader, writer = await asyncio.open_connection(sock=sock)
    tasks: set[asyncio.Task[None]] = set()

    async def one(call: Call) -> None:
        writer.write(_framed(await handle(call)))
        await writer.drain()

    try:
        while True:
            call = msgspec.msgpack.decode(await _read(reader), type=Call)
            task = asyncio.create_task(one(call))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        for task in tasks:
            task.cancel()
        writer.close()
