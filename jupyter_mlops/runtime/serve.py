"""Serves a publication over HTTP until it is told to stop, then drains."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import secrets
import socket
import sys
from pathlib import Path

import msgspec

from jupyter_mlops.runtime import publication, scratch
from jupyter_mlops.runtime.settings import Settings

BACKLOG = 2048
logger = logging.getLogger("mlops")


def serve(root: Path, host: str, port: int) -> int:
    """Serve the publication at ``root``; return the exit code.

    Beyond the loopback interface a token is asked for: $MLOPS_TOKEN, else one that is made now and
    logged; MLOPS_OPEN=1 lets everybody in. SIGTERM stops accepting, lets requests finish for
    $MLOPS_DRAIN_SECONDS, and cancels runs.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        published = publication.load(root)
        _make_home_writable()
        settings = Settings.of_environment()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The publication at {root} cannot be served: {error}\n")
        return 1
    if published.predictor.kind == "none":
        settings = msgspec.structs.replace(settings, workers=1)
    try:
        sock = _bound(host, port)
    except OSError as error:
        sys.stderr.write(f"Port {port} of {host} cannot be used: {error.strerror}.\n")
        return 1
    settings = _with_token(settings, host)
    # Numerical libraries take all cores in each process otherwise.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logger.info("Serving %s at http://%s:%d", published.name, host, sock.getsockname()[1])

    from jupyter_mlops.runtime.supervisor import Supervisor

    async def run() -> int:
        return await Supervisor(root, published, settings, sock).run()

    return asyncio.run(run())


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _with_token(settings: Settings, host: str) -> Settings:
    """Return the settings with a token where the service can be reached from other machines."""
    if settings.token or _is_loopback(host):
        return settings
    if os.environ.get("MLOPS_OPEN") == "1":
        logger.warning("Everybody who reaches this service may call it (MLOPS_OPEN=1).")
        return settings
    token = secrets.token_urlsafe(24)
    logger.warning(
        "The token of this service is %s (set your own with MLOPS_TOKEN, or MLOPS_OPEN=1 to let "
        "everybody in); in a browser: /?token=%s",
        token,
        token,
    )
    return msgspec.structs.replace(settings, token=token)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _make_home_writable() -> None:
    """Point libraries that keep caches at a folder that can be written to."""
    home = os.environ.get("HOME", "")
    if not home or not os.access(home, os.W_OK | os.X_OK):
        os.environ["HOME"] = str(scratch.parent())
