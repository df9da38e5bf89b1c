"""A package index made by code on this machine's loopback: PEP 503 and 691, wheels and sdists."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

UPLOADED = "2023-01-15T12:00:00Z"
DATE = (1980, 1, 1, 0, 0, 0)


def wheel(
    name: str,
    version: str,
    requires: list[str] | None = None,
    *,
    tag: str = "py3-none-any",
    extras: dict[str, list[str]] | None = None,
    files: dict[str, str] | None = None,
) -> tuple[str, bytes]:
    """Return the file name and the bytes of a wheel that holds one module."""
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {one}" for one in requires or []]
    for extra, wanted in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {one}; extra == '{extra}'" for one in wanted]
    contents = {
        f"{stem}.py": f"version = {version!r}\n",
        **(files or {}),
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in {**contents, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path, DATE), text)
    return f"{stem}-{version}-{tag}.whl", buffer.getvalue()


# A build backend in the sdist itself: nothing has to be fetched to build it.
_BACKEND = """
import os, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, version = "{stem}", "{version}"
    info = f"{{name}}-{{version}}.dist-info"
    files = {{f"{{name}}.py": "built = True\\n",
             f"{{info}}/METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
             f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n"
                               "Tag: py3-none-any\\n"}}
    files[f"{{info}}/RECORD"] = "".join(f"{{p}},,\\n" for p in [*files, f"{{info}}/RECORD"])
    wheel = f"{{name}}-{{version}}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return wheel
"""


def source_files(name: str, version: str, *, broken: bool = False) -> dict[str, str]:
    """Return the files of a source tree that builds itself; a ``broken`` one raises instead."""
    stem = name.replace("-", "_")
    backend = _BACKEND.format(name=name, stem=stem, version=version)
    if broken:
        backend = "raise RuntimeError('no compiler here')\n"
    return {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        f'backend-path = ["."]\n[project]\nname = "{name}"\nversion = "{version}"\n',
        "backend.py": backend,
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }


def sdist(name: str, version: str, *, broken: bool = False) -> tuple[str, bytes]:
    """Return the file name and the bytes of a source distribution."""
    root = f"{name.replace('-', '_')}-{version}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in source_files(name, version, broken=broken).items():
            member = tarfile.TarInfo(f"{root}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{root}.tar.gz", buffer.getvalue()


@dataclass
class File:
    """A file of the index, and what the index says of it."""

    name: str
    content: bytes
    uploaded: str | None = UPLOADED
    yanked: str | bool = False
    requires_python: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Index:
    """What is served, how, and what was asked for (``asked``, without the query)."""

    projects: dict[str, list[File]] = field(default_factory=dict)
    user: str = ""
    password: str = ""
    token: str = ""  # files are only given to who sends it: ?token=…
    failures: int = 0  # answer so many requests with 503 first
    html: bool = False
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Return its address without credentials."""
        return f"http://{self.host}/simple"

    @property
    def url_with_credentials(self) -> str:
        return f"http://{self.user}:{self.password}@{self.host}/simple"

    def add(self, *made: tuple[str, bytes], **said: Any) -> None:
        """Add wheels or sdists as ``wheel`` and ``sdist`` make them; ``said`` as in ``File``."""
        for name, content in made:
            stem = name.removesuffix(".tar.gz").split("-")[0]
            project = stem.lower().replace("_", "-")
            self.projects.setdefault(project, []).append(File(name, content, **said))

    def answer(self, target: str, authorization: str) -> tuple[int, str, bytes]:
        """Return status, content type and body of one request."""
        parts = urlsplit(target)
        self.asked.append(parts.path)
        if self.failures > 0:
            self.failures -= 1
            return 503, "text/plain", b"busy"
        if self.user and authorization != self._basic():
            return 401, "text/plain", b"who are you?"
        where = [part for part in parts.path.split("/") if part]
        if "files" in where:
            if self.token and parse_qs(parts.query).get("token") != [self.token]:
                return 403, "text/plain", b"no token"
            return self._file(where[-1])
        project = self.projects.get(where[-1]) if where else None
        if project is None:
            return 404, "text/plain", b"no such project"
        if self.html:
            return 200, "text/html", self._html(project)
        return 200, "application/vnd.pypi.simple.v1+json", self._json(where[-1], project)

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def _file(self, name: str) -> tuple[int, str, bytes]:
        every = (file for files in self.projects.values() for file in files)
        found = next((file for file in every if file.name == name), None)
        if found is None:
            return 404, "text/plain", b"no such file"
        return 200, "application/octet-stream", found.content

    def _href(self, file: File) -> str:
        query = f"?token={self.token}" if self.token else ""
        return f"/files/{file.name}{query}"

    def _json(self, name: str, project: list[File]) -> bytes:
        files: list[dict[str, Any]] = []
        for file in project:
            one: dict[str, Any] = {
                "filename": file.name,
                "url": self._href(file),
                "hashes": {"sha256": file.sha256},
                "size": len(file.content),
                "yanked": file.yanked,
            }
            if file.requires_python:
                one["requires-python"] = file.requires_python
            if file.uploaded:
                one["upload-time"] = file.uploaded
            files.append(one)
        return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}).encode()

    def _html(self, project: list[File]) -> bytes:
        links = "".join(
            f'<a href="{self._href(file)}#sha256={file.sha256}">{file.name}</a>\n'
            for file in project
        )
        return f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode()


def handler_of(index: Index) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, body = index.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def served(index: Index, context: ssl.SSLContext | None = None) -> Iterator[Index]:
    """Serve the index on a free port of the loopback; by TLS where there is a context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(index))
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    index.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write(folder: Path, *made: tuple[str, bytes]) -> None:
    """Write wheels into a folder, as ``--find-links`` wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made:
        (folder / name).write_bytes(content)
