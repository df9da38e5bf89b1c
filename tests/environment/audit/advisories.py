"""A PyPI made by code on this machine's loopback: its JSON API, with advisories and bad days."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from jupyter_mlops.environment.lockfile import parse
from jupyter_mlops.environment.models import Lock

ADVISORY = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2024-0001", "PYSEC-2024-1"],
    "fixed_in": ["2.20.0", "2.3"],
    "summary": "It sends what it should\nkeep.",
    "details": "Long.",
    "withdrawn": None,
    "published": "2024-01-01T00:00:00Z",
}


def sha256(name: str, version: str) -> str:
    """Return the hash of the one wheel that there is of a release."""
    return hashlib.sha256(f"{name} {version}".encode()).hexdigest()


def release(name: str, version: str, *advisories: Mapping[str, Any]) -> dict[str, Any]:
    """Return what PyPI says of a release."""
    return {
        "info": {"name": name, "version": version},
        "urls": [{"digests": {"sha256": sha256(name, version)}}],
        "vulnerabilities": list(advisories),
    }


def lock(*packages: str, own: tuple[str, ...] = ()) -> Lock:
    """Return the lock of packages ("numpy 1.0"); the wheels of ``own`` are files, not addresses."""
    text = 'lock-version = "1.0"\n'
    for package in (*packages, *own):
        name, _, version = package.partition(" ")
        file = f"{name}-{version}-py3-none-any.whl"
        where = f'path = "wheels/{file}"' if package in own else f'url = "https://x.test/{file}"'
        text += f'\n[[packages]]\nname = "{name}"\nversion = "{version}"\n'
        text += f'wheels = [{{ {where}, hashes = {{ sha256 = "{sha256(name, version)}" }} }}]\n'
    return parse(text, "3.11", "linux/amd64")


@dataclass
class Pypi:
    """What is served: answers by ``name/version``, as JSON or as raw bytes with a status.

    ``asked`` are the paths that were asked for, ``headers`` what came with each; while ``hold`` is
    cleared, nothing is answered.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def add(self, package: str, *advisories: Mapping[str, Any]) -> None:
        """Know a release ("numpy 1.0") and what is wrong with it."""
        name, _, version = package.partition(" ")
        self.answers[f"{name}/{version}"] = release(name, version, *advisories)

    def know(self, lock: Lock) -> None:
        """Know all that is locked, and nothing wrong with it."""
        for package in lock.packages:
            said = release(package.name, package.version.partition("+")[0])
            said["urls"] = [{"digests": {"sha256": each}} for each in package.wheels.values()]
            self.answers[f"{package.name}/{said['info']['version']}"] = said

    def answer(self, path: str) -> tuple[int, bytes]:
        """Return status and body."""
        self.asked.append(path)
        self.hold.wait(60)
        found = self.answers.get(path.removeprefix("/pypi/").removesuffix("/json"))
        if found is None:
            return 404, b'{"message": "Not Found"}'
        if isinstance(found, tuple):
            return found
        return 200, json.dumps(found).encode()


@contextmanager
def served() -> Iterator[Pypi]:
    """Serve a PyPI that knows nothing yet for the length of a block."""
    pypi = Pypi()
    pypi.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pypi.headers.append(dict(self.headers))
            status, body = pypi.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pypi.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield pypi
    finally:
        pypi.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
