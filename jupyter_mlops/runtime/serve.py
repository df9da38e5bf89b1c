"""Serves a publication over HTTP until it is told to stop, then drains."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from jupyter_mlops.runtime import publication, scratch


def serve(root: Path, host: str, port: int) -> int:
    """Serve the publication at ``root``; return the exit code.

    SIGTERM stops accepting, lets requests finish for $MLOPS_DRAIN_SECONDS, and cancels runs.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        published = publication.load(root)
        _make_home_writable()
        from jupyter_mlops.runtime.served import Served, Settings

        settings = Settings.of_environment()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The publication at {root} cannot be served: {error}\n")
        return 1
    import uvicorn

    from jupyter_mlops.runtime import app

    served = Served(root, published, settings)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """Let those who only wait for a run go, and drain the others."""
            served.runs.release()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app.make(served),
        host=host,
        port=port,
        timeout_graceful_shutdown=settings.drain,
        access_log=False,
        server_header=False,
        **_fast(),
    )
    server = Server(config)
    # uvicorn raises the signal again when it has drained; the service ended as it should.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        server.run()
    except KeyboardInterrupt:
        return 0
    return 0 if server.started else 1


def _fast() -> dict[str, Any]:
    """Use the fast event loop and parser where they are installed."""
    chosen: dict[str, Any] = {}
    for option, name in (("loop", "uvloop"), ("http", "httptools")):
        try:
            __import__(name)
        except ImportError:
            continue
        chosen[option] = name
    return chosen


def _make_home_writable() -> None:
    """Point libraries that keep caches at a folder that can be written to."""
    home = os.environ.get("HOME", "")
    if not home or not os.access(home, os.W_OK | os.X_OK):
        os.environ["HOME"] = str(scratch.parent())
