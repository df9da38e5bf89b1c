"""A registry in memory that does what real ones do on bad days."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import socket
import socketserver
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

Rule = Callable[["Handler"], bool]


class Quiet(http.server.ThreadingHTTPServer):
    """Says nothing when a client goes away."""

    def handle_error(self, *_: object) -> None:
        """Be silent."""


class Served:
    """Answers on a port of this machine for the length of a block."""

    def listen(self, server: socketserver.ThreadingMixIn) -> int:
        """Take a server that is not started yet; return its port."""
        assert isinstance(server, socketserver.TCPServer)
        server.daemon_threads = True
        server.block_on_close = False
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        return int(server.server_address[1])

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


PIECE = 1 << 16


@dataclass
class Upload:
    """An upload session: what arrived so far, hashed, and kept where blobs are kept."""

    repository: str
    size: int = 0
    sha256: Any = field(default_factory=hashlib.sha256)
    data: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Repeated:
    """A large blob of which only one piece is in memory: ``piece`` again and again."""

    piece: bytes
    count: int

    def __len__(self) -> int:
        return len(self.piece) * self.count

    def __iter__(self) -> Iterator[bytes]:
        return (self.piece for _ in range(self.count))


class FaultyRegistry(Served):
    """Serves on a free port of the loopback interface; ``rules`` may take over a request.

    A rule gets the handler and returns True when it has answered. ``requests`` is the log,
    ``received`` the bytes that came in for uploads. With ``keep=False`` blobs are hashed and
    dropped: ``sizes`` knows them. With ``forgets=True`` a chunk that broke off loses its session,
    as in docker-registry 2.8.
    """

    def __init__(self, *, keep: bool = True, forgets: bool = False) -> None:
        self.keep, self.forgets = keep, forgets
        self.received = 0
        self.sizes: dict[tuple[str, str], int] = {}
        self.large: dict[str, Repeated] = {}
        self.upload_headers: dict[str, str] = {}
        self.absolute = False  # give Locations with a host
        self.lengths = True  # tell the length of answers
        self.deletes = False  # let manifests be deleted, with all their tags
        self.ahead = 0.0  # seconds that the clock is ahead
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.uploads: dict[str, Upload] = {}
        self.opened = 0
        self.rules: list[Rule] = []
        self.requests: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.authorizations: list[str] = []
        self.lock = threading.Lock()
        registry = self

        class Bound(Handler):
            server_state = registry

        self.url = f"127.0.0.1:{self.listen(Quiet(('127.0.0.1', 0), Bound))}"

    def holds(self, repository: str, digest: str) -> bool:
        """Tell whether a blob is there."""
        return (repository, digest) in self.sizes or (repository, digest) in self.blobs

    def count(self, method: str, part: str = "") -> int:
        """Return how many requests had the method and ``part`` in their path."""
        return sum(m == method and part in path for m, path in self.requests)

    def tags(self, repository: str) -> dict[str, str]:
        """Return the tags of a repository and the digest each points to."""
        return {
            version: f"sha256:{hashlib.sha256(data).hexdigest()}"
            for (name, version), (_, data) in self.manifests.items()
            if name == repository and not version.startswith("sha256:")
        }


def times(count: int, method: str, part: str, act: Callable[[Handler], None]) -> Rule:
    """Return a rule that acts on the first ``count`` matching requests."""
    left = [count]
    lock = threading.Lock()

    def rule(handler: Handler) -> bool:
        with lock:
            if handler.command != method or part not in handler.path or left[0] <= 0:
                return False
            left[0] -= 1
        act(handler)
        return True

    return rule


def status(code: int, headers: dict[str, str] | None = None, body: Any = None) -> Any:
    """Return an act that answers with a status."""

    def act(handler: Handler) -> None:
        handler.discard()
        handler.answer(code, json.dumps(body).encode() if body is not None else b"", headers)

    return act


def reset(after: int = 0) -> Any:
    """Return an act that reads ``after`` bytes of the body and then breaks the connection."""

    def act(handler: Handler) -> None:
        handler.take(after)
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    return act


class Handler(http.server.BaseHTTPRequestHandler):
    """Speaks enough of the distribution protocol."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for the client's delayed ACK
    server_state: FaultyRegistry
    _body_of: object = None
    _body = b""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the time by the registry's own clock."""
        return super().date_time_string((timestamp or time.time()) + self.server_state.ahead)

    def log_message(self, *_: Any) -> None:
        """Be silent."""

    def drain(self) -> bytes:
        """Read the request's body."""
        if self._body_of is not self.headers:
            self._body_of = self.headers
            self._body = self.rfile.read(int(self.headers.get("content-length") or 0))
            self.arrived(len(self._body))
        return self._body

    def discard(self) -> None:
        """Read the body and keep nothing of it."""
        if self._body_of is not self.headers:
            self._body_of, self._body = self.headers, b""
            left = int(self.headers.get("content-length") or 0)
            while left and (data := self.rfile.read(min(left, PIECE))):
                left -= len(data)
                self.arrived(len(data))

    def arrived(self, count: int) -> None:
        """Count bytes of an upload."""
        if "/uploads/" in self.path:
            with self.server_state.lock:
                self.server_state.received += count

    def take(self, most: int = 1 << 62) -> None:
        """Read up to ``most`` bytes of the body into the upload that the path names."""
        if self._body_of is self.headers:
            return
        self._body_of, self._body = self.headers, b""
        item = self.path.partition("?")[0].rpartition("/")[2]
        upload = self.server_state.uploads.get(item, Upload(""))
        left = min(most, int(self.headers.get("content-length") or 0))
        while left and (data := self.rfile.read(min(left, PIECE))):
            left -= len(data)
            self.arrived(len(data))
            upload.size += len(data)
            upload.sha256.update(data)
            if self.server_state.keep:
                upload.data += data

    def answer(self, code: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Send a whole answer."""
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.server_state.lengths and "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, code: int, name: str, message: str = "") -> None:
        """Send an error as registries do."""
        body = {"errors": [{"code": name, "message": message or name.lower()}]}
        self.answer(code, json.dumps(body).encode())

    def _serve(self) -> None:
        state = self.server_state
        with state.lock:
            state.requests.append((self.command, self.path))
            state.authorizations.append(self.headers.get("authorization", ""))
        if not any(rule(self) for rule in list(state.rules)):
            self.serve()

    def serve(self) -> None:
        """Answer as a registry does on a good day."""
        path, _, query = self.path.partition("?")
        fields = dict(urllib.parse.parse_qsl(query))
        match = re.fullmatch(r"/v2/(.+?)/(blobs/uploads|blobs|manifests|tags)/?([^/]*)", path)
        if not match:
            self.answer(200, b"{}")
            return
        repository, kind, item = match.groups()
        getattr(self, "_" + kind.replace("/", "_"))(repository, item, fields)

    def _tags(self, repository: str, _: str, fields: dict[str, str]) -> None:
        tags = sorted(self.server_state.tags(repository))
        if not tags:
            return self.error(404, "NAME_UNKNOWN")
        body = {"name": repository, "tags": tags}
        return self.answer(200, json.dumps(body).encode())

    def _blobs_uploads(self, repository: str, item: str, fields: dict[str, str]) -> None:
        state = self.server_state
        if self.command == "POST":
            self.drain()
            source, digest = fields.get("from", ""), fields.get("mount", "")
            if state.holds(source, digest):
                state.sizes[repository, digest] = state.sizes.get((source, digest), 0)
                if (source, digest) in state.blobs:
                    state.blobs[repository, digest] = state.blobs[source, digest]
                    del state.sizes[repository, digest]
                return self.answer(201, headers={"Location": "/done"})
            with state.lock:
                session = f"s{state.opened}"
                state.opened += 1
                state.uploads[session] = Upload(repository)
            return self.answer(202, headers={**self._location(session), **state.upload_headers})
        upload = state.uploads.get(item)
        if upload is None or not self._knows(upload, fields.get("_state", "")):
            self.drain()
            return self.error(404, "BLOB_UPLOAD_UNKNOWN")
        if self.command == "GET":
            return self.answer(204, headers={**self._location(item), **self._range(upload)})
        start = self.headers.get("content-range", f"{upload.size}-").partition("-")[0]
        if self.command == "PATCH" and int(start) != upload.size:
            self.drain()
            return self.error(416, "RANGE_INVALID")
        self.take()
        if self.command == "PATCH":
            return self.answer(202, headers={**self._location(item), **self._range(upload)})
        del state.uploads[item]
        digest = f"sha256:{upload.sha256.hexdigest()}"
        if digest != fields.get("digest"):
            return self.error(400, "DIGEST_INVALID")
        if state.keep:
            state.blobs[repository, digest] = bytes(upload.data)
        else:
            state.sizes[repository, digest] = upload.size
        return self.answer(201, headers={"Location": f"/v2/{repository}/blobs/{digest}"})

    def _knows(self, upload: Upload, said: str) -> bool:
        """Tell whether a Location is the last one given; one of before may ask how far it is."""
        before = self.command == "GET" and not self.server_state.forgets
        return said == f"a/b={upload.size}" or (before and said.startswith("a/b="))

    def _location(self, session: str) -> dict[str, str]:
        """Relative, with a query that says how far the session was, as docker-registry's does."""
        upload = self.server_state.uploads[session]
        known = "a%2Fb%3D" + str(upload.size)
        host = f"http://{self.server_state.url}" if self.server_state.absolute else ""
        path = f"/v2/{upload.repository}/blobs/uploads/{session}"
        return {"Location": f"{host}{path}?_state={known}&x=1"}

    def _range(self, upload: Upload) -> dict[str, str]:
        return {"Range": f"0-{max(upload.size - 1, 0)}"}

    def _blobs(self, repository: str, digest: str, _: dict[str, str]) -> None:
        state = self.server_state
        if digest in state.large:
            return self._large(state.large[digest])
        data = state.blobs.get((repository, digest))
        if data is None and self.command == "HEAD" and (repository, digest) in state.sizes:
            return self.answer(
                200, headers={"Content-Length": str(state.sizes[repository, digest])}
            )
        if data is None:
            return self.error(404, "BLOB_UNKNOWN")
        start = self._start()
        headers = {"Content-Length": str(len(data) - start)}
        return self.answer(206 if start else 200, data[start:], headers)

    def _large(self, data: Repeated) -> None:
        start = self._start()
        headers = {"Content-Length": str(len(data) - start)}
        self.answer(206 if start else 200, b"", headers)
        if self.command == "GET":
            for piece in data:
                self.wfile.write(piece[start:])
                start = max(0, start - len(piece))

    def _start(self) -> int:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(wanted[1]) if wanted else 0

    def _manifests(self, repository: str, version: str, _: dict[str, str]) -> None:
        state = self.server_state
        if self.command == "PUT":
            data = self.drain()
            value = json.loads(data)
            config = [value["config"]] if "config" in value else []  # an index has none
            parts = [*config, *value.get("layers", [])]
            there = [state.holds(repository, part["digest"]) for part in parts]
            named = [] if "config" in value else value.get("manifests", [])
            there += [(repository, part["digest"]) in state.manifests for part in named]
            if not all(there):
                return self.error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            found = (self.headers["content-type"], data)
            state.manifests[repository, version] = state.manifests[repository, digest] = found
            return self.answer(201, headers={"Docker-Content-Digest": digest})
        if self.command == "DELETE" and not (state.deletes and version.startswith("sha256:")):
            return self.error(405, "UNSUPPORTED", "the operation is unsupported")
        known = state.manifests.get((repository, version))
        if known is None:
            return self.error(404, "MANIFEST_UNKNOWN")
        digest = f"sha256:{hashlib.sha256(known[1]).hexdigest()}"
        if self.command == "DELETE":
            for key in [key for key, found in state.manifests.items() if found[1] == known[1]]:
                if key[0] == repository:
                    del state.manifests[key]
            return self.answer(202)
        headers = {
            "Content-Type": known[0],
            "Docker-Content-Digest": digest,
            "Content-Length": str(len(known[1])),
        }
        return self.answer(200, known[1], headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve
