"""What may stand between us and a registry: a proxy that wants a login, a line that breaks."""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import select
import socket
import socketserver
import threading
import urllib.parse
from collections.abc import Callable
from typing import Any

from tests.registry.faulty import Quiet, Served


class Proxy(Served):
    """Listens on loopback and brings every host name to this machine; ``asked`` is its log."""

    def __init__(self, user: str, password: str) -> None:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.wanted = f"Basic {pair}"
        self.asked: list[tuple[str, str]] = []
        self.refused = 0
        self.answers: list[int] = []  # statuses to refuse with, one each
        proxy = self

        class Bound(_Handler):
            state = proxy

        self.port = self.listen(Quiet(("127.0.0.1", 0), Bound))


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Proxy

    def log_message(self, *_: Any) -> None:
        """Be silent."""

    def _allowed(self) -> bool:
        state = self.state
        code = state.answers.pop() if state.answers else 407
        if self.headers.get("proxy-authorization") == state.wanted and code == 407:
            state.asked.append((self.command, self.path))
            return True
        state.refused += 1
        self.close_connection = True
        self.send_response(code)
        self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        return False

    def do_CONNECT(self) -> None:
        """Open a tunnel to the port that was named, on this machine."""
        if not self._allowed():
            return
        port = int(self.path.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as there:
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            self._tunnel(there)

    def _tunnel(self, there: socket.socket) -> None:
        here = self.connection
        with contextlib.suppress(OSError):
            while True:
                for ready in select.select([here, there], [], [], 30)[0] or [None]:
                    data = ready.recv(1 << 16) if ready else b""
                    if not data:
                        return
                    (there if ready is here else here).sendall(data)

    def _forward(self) -> None:
        """Send a request on to the port that was named, on this machine."""
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if not self._allowed():
            return
        url = urllib.parse.urlsplit(self.path)
        there = http.client.HTTPConnection("127.0.0.1", url.port or 80, timeout=30)
        headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-")}
        path = url.path + (f"?{url.query}" if url.query else "")
        there.request(self.command, path, body, headers)
        answer = there.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = int(answer.headers.get("content-length") or len(data))
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)
        there.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _forward


class Line(Served):
    """A TCP line to a port of this machine that breaks when it has carried so many bytes there.

    ``breaks`` are bytes counted over all connections; ``carried`` is what went there so far.
    """

    def __init__(self, port: int, breaks: list[int]) -> None:
        self.breaks = breaks
        self.carried = 0
        self.lock = threading.Lock()
        line = self

        class Bound(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", port)) as there:
                    back = threading.Thread(target=_pipe, args=(there, self.request))
                    back.start()
                    _pipe(self.request, there, line._breaks)
                    for end in (self.request, there):
                        with contextlib.suppress(OSError):
                            end.shutdown(socket.SHUT_RDWR)
                    back.join()

        port_here = self.listen(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Bound))
        self.url = f"127.0.0.1:{port_here}"

    def _breaks(self, count: int) -> bool:
        with self.lock:
            self.carried += count
            if self.breaks and self.carried >= self.breaks[0]:
                self.breaks.pop(0)
                return True
            return False


def _pipe(
    source: socket.socket, target: socket.socket, breaks: Callable[[int], bool] = lambda _: False
) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
            if breaks(len(data)):
                return
        target.shutdown(socket.SHUT_WR)
