"""A registry in memory that does what real ones do on bad days."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import socket
import threading
import urllib.parse
from collections.abc import Callable
from typing import Any, Self

Rule = Callable[["Handler"], bool]


class Quiet(http.server.ThreadingHTTPServer):
    """Says nothing when a client goes away."""

    def handle_error(self, *_: object) -> None:
        """Be silent."""


class FaultyRegistry:
    """Serves on a free port of the loopback interface; ``rules`` may take over a request.

    A rule gets the handler and returns True when it has answered. ``requests`` is the log.
    """

    def __init__(self) -> None:
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.uploads: dict[str, str] = {}
        self.rules: list[Rule] = []
        self.requests: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.authorizations: list[str] = []
        self.lock = threading.Lock()
        registry = self

        class Bound(Handler):
            server_state = registry

        self.server = Quiet(("127.0.0.1", 0), Bound)
        self.server.daemon_threads = True
        self.url = f"127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

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
        handler.drain()
        handler.answer(code, json.dumps(body).encode() if body is not None else b"", headers)

    return act


def reset(after: int = 0) -> Any:
    """Return an act that reads ``after`` bytes of the body and then breaks the connection."""

    def act(handler: Handler) -> None:
        if after:
            handler.rfile.read(min(after, int(handler.headers.get("content-length") or 0)))
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    return act


class Handler(http.server.BaseHTTPRequestHandler):
    """Speaks enough of the distribution protocol."""

    protocol_version = "HTTP/1.1"
    server_state: FaultyRegistry
    _body_of: object = None
    _body = b""

    def log_message(self, *_: Any) -> None:
        """Be silent."""

    def drain(self) -> bytes:
        """Read the request's body."""
        if self._body_of is not self.headers:
            self._body_of = self.headers
            self._body = self.rfile.read(int(self.headers.get("content-length") or 0))
        return self._body

    def answer(self, code: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Send a whole answer."""
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name in headers or {}}:
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
        if any(rule(self) for rule in list(state.rules)):
            return
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
        data = self.drain()
        if self.command == "POST":
            source = fields.get("from", "")
            mounted = state.blobs.get((source, fields.get("mount", "")))
            if mounted is not None:
                state.blobs[repository, fields["mount"]] = mounted
                return self.answer(201, headers={"Location": "/done"})
            session = f"s{len(state.uploads)}"
            with state.lock:
                state.uploads[session] = repository
            location = f"/v2/{repository}/blobs/uploads/{session}?_state=a%2Fb%3D&x=1"
            return self.answer(202, headers={"Location": location})  # relative, with a query
        if item not in state.uploads or fields.get("_state") != "a/b=":
            return self.error(404, "BLOB_UPLOAD_UNKNOWN")
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if digest != fields.get("digest"):
            return self.error(400, "DIGEST_INVALID")
        state.blobs[repository, digest] = data
        return self.answer(201, headers={"Location": f"/v2/{repository}/blobs/{digest}"})

    def _blobs(self, repository: str, digest: str, _: dict[str, str]) -> None:
        data = self.server_state.blobs.get((repository, digest))
        if data is None:
            return self.error(404, "BLOB_UNKNOWN")
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        start = int(wanted[1]) if wanted else 0
        headers = {"Content-Length": str(len(data) - start)}
        return self.answer(206 if wanted else 200, data[start:], headers)

    def _manifests(self, repository: str, version: str, _: dict[str, str]) -> None:
        state = self.server_state
        if self.command == "PUT":
            data = self.drain()
            value = json.loads(data)
            for part in [value["config"], *value["layers"]]:
                if (repository, part["digest"]) not in state.blobs:
                    return self.error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            found = (self.headers["content-type"], data)
            state.manifests[repository, version] = state.manifests[repository, digest] = found
            return self.answer(201, headers={"Docker-Content-Digest": digest})
        if self.command == "DELETE":
            return self.error(405, "UNSUPPORTED", "the operation is unsupported")
        known = state.manifests.get((repository, version))
        if known is None:
            return self.error(404, "MANIFEST_UNKNOWN")
        digest = f"sha256:{hashlib.sha256(known[1]).hexdigest()}"
        headers = {
            "Content-Type": known[0],
            "Docker-Content-Digest": digest,
            "Content-Length": str(len(known[1])),
        }
        return self.answer(200, known[1], headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve
