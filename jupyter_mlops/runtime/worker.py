"""One process that answers HTTP: its own model, the port and the counters shared with others."""

from __future__ import annotations

import logging
import signal
import socket
from pathlib import Path

import msgspec
import uvicorn

from jupyter_mlops.runtime import publication
from jupyter_mlops.runtime.app import Application
from jupyter_mlops.runtime.exposition import Metrics
from jupyter_mlops.runtime.link import Caller
from jupyter_mlops.runtime.served import Served
from jupyter_mlops.runtime.settings import Settings
from jupyter_mlops.runtime.supervisor import features_of
from jupyter_mlops.runtime.wire import Protocol, Server

logger = logging.getLogger("mlops")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor hands to a worker: its part of the counters, and open files.

    ``at_once`` says that it answers before it is ready (that it is starting).
    """

    root: Path
    part: int
    workers: int
    socket: int
    link: int
    memory: int
    at_once: bool = False


def work(place: Place) -> int:
    """Answer requests until told to stop, or until the supervisor is gone."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    published = publication.load(place.root)
    settings = msgspec.structs.replace(Settings.of_environment(), workers=place.workers)
    metrics = Metrics(
        features_of(published), parts=place.workers + 1, part=place.part, file=place.memory
    )
    served = Served(place.root, published, settings, metrics)
    caller = Caller(socket.socket(fileno=place.link))
    config = uvicorn.Config(
        Application(served, caller),
        http=Protocol,
        loop=_loop(),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.idle,
        timeout_graceful_shutdown=settings.drain,
    )
    Protocol.seconds = settings.head
    server = Server(config, socket.socket(fileno=place.socket), caller.run(), at_once=place.at_once)
    served.on_settled = server.listen
    # uvicorn raises the signal again when it has drained; the worker ended as it should.
    signal.signal(signal.SIGTERM, lambda *_: None)
    # Ctrl-C is the supervisor's affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server.run()
    return 0 if server.started else 1


def _loop() -> str:
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return "asyncio"
    return "uvloop"
