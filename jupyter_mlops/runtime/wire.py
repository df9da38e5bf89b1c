"""How connections come in: fairly shared between workers, and with limits for a request's head."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from collections.abc import Coroutine
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
#: Seconds until connections are taken again by a process that has no more files to open.
FULL_PAUSE = 0.5
#: Seconds until that is said again.
FULL_TOLD = 60
_CLOSE = b"content-length: 0\r\nconnection: close\r\n\r\n"
LATE = b"HTTP/1.1 408 Request Timeout\r\n" + _CLOSE
LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _CLOSE
logger = logging.getLogger("mlops")


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol; it has no limit for how long or how large a head may be."""

    seconds = 10.0

    def connection_made(self, transport: Any) -> None:
        """Expect a first request's head in time."""
        super().connection_made(transport)
        self._head: int | None = 0
        self._late: asyncio.TimerHandle | None = self.loop.call_later(
            self.seconds, self._refuse, LATE
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the limits with the connection."""
        self._in_time()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Expect a head in time."""
        super().on_message_begin()
        self._head = 0
        if self._late is None:
            self._late = self.loop.call_later(self.seconds, self._refuse, LATE)

    def on_headers_complete(self) -> None:
        """Note that the head is there."""
        self._in_time()
        self._head = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Refuse a head that does not end."""
        if self._head is not None and self._head > MAX_HEAD:
            return
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(LARGE)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, answer: bytes) -> None:
        self._late = None
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


class Listener:
    """Takes one connection at a time from a socket that all workers share.

    A busy worker comes back to it later than an idle one, so connections go where there is time.
    """

    def __init__(self, sock: socket.socket, protocol: Any) -> None:
        self._socket = sock
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.sockets = [sock]
        self._again: asyncio.TimerHandle | None = None
        self._told = -math.inf
        sock.setblocking(False)
        self._open = True
        self._listen()

    def _listen(self) -> None:
        self._again = None
        self._loop.add_reader(self._socket.fileno(), self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was first
        except OSError as error:
            self._full(error)
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        coming = self._loop.connect_accepted_socket(self._protocol, connection)
        task = self._loop.create_task(coming)
        self._tasks.add(task)
        task.add_done_callback(self._came)

    def _full(self, error: OSError) -> None:
        """Leave connections waiting for a moment: most likely too many are open (EMFILE)."""
        if self._loop.time() - self._told > FULL_TOLD:
            logger.warning("Connections are not accepted for now: %s.", error.strerror)
            self._told = self._loop.time()
        self._loop.remove_reader(self._socket.fileno())
        self._again = self._loop.call_later(FULL_PAUSE, self._listen)

    def _came(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.debug("A connection ended while it was taken.")

    def close(self) -> None:
        """Take no more connections."""
        if self._open:
            self._open = False
            if self._again is not None:
                self._again.cancel()
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    async def wait_closed(self) -> None:
        """Return at once: nothing is left open."""


class Server(uvicorn.Server):
    """uvicorn's server, listening by ``Listener`` once ``listen`` is called.

    ``at_once`` calls it at the start; ``beside`` runs as long as the server should.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        sock: socket.socket,
        beside: Coroutine[Any, Any, None],
        *,
        at_once: bool,
    ) -> None:
        super().__init__(config)
        self._sock = sock
        self._at_once = at_once
        self._beside = beside
        self.servers: list[Any] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, and what runs beside it."""
        self._task = asyncio.create_task(self._watch())
        await self.lifespan.startup()
        self.started = not self.lifespan.should_exit
        if self._at_once:
            self.listen()

    async def _watch(self) -> None:
        await self._beside
        self.should_exit = True

    def listen(self) -> None:
        """Take connections from now on."""
        if self.servers or self.should_exit:
            return

        def protocol() -> Protocol:
            return Protocol(
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
                _loop=asyncio.get_running_loop(),
            )

        self.servers.append(Listener(self._sock, protocol))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain when told to end; a second signal does not cut it short."""
        self.should_exit = True
