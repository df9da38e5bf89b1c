"""An index on loopback that knows names and versions: what pipreqs and pigar ask of PyPI.

It answers at once, and the versions are the kernel's: both are to the advantage of who asks. The
names it knows are those that the kernel has and those in the tables that we know exist.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from jupyter_mlops.environment import names
from jupyter_mlops.environment.names import normal


@contextmanager
def running(versions: Mapping[str, str]) -> Iterator[str]:
    """Serve the index; give its address. ``versions`` are the kernel's, by distribution."""
    exist = [name for row in (*names.PROVIDERS.values(), *names.pipreqs().values()) for name in row]
    known = dict.fromkeys(map(normal, (*names.SAME, *exist)), "1.0")
    known |= {normal(name): version for name, version in versions.items()}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, known))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, known: Mapping[str, str], *rest: object) -> None:
        self.known = known
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer ``/pypi/NAME/json`` and ``/simple/NAME/``."""
        parts = self.path.strip("/").split("/")
        name = normal(parts[1]) if len(parts) > 1 else ""
        version = self.known.get(name)
        if version is None:
            self.send_error(404)
            return
        if parts[0] == "pypi":
            address = f"https://pypi.org/project/{name}/"
            info = {"name": name, "version": version, "package_url": address}
            body, kind = json.dumps({"info": info, "releases": {version: []}}), "application/json"
        else:
            file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
            body, kind = f'<html><body><a href="{file}">{file}</a></body></html>', "text/html"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing: the table is what is read."""
