"""The long form: ``python -m tests.runtime.soak [--seconds N] [--malformed N]`` (``make soak``)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureRequest

from .conftest import Service, serving, write_publication
from .malformed import attack
from .overload import Load, load, sustainable

#: A model that takes its time, whatever it is given, and takes no core from the others.
SOURCE = (
    "import time\n"
    "def predict(rows):\n"
    "    time.sleep({seconds})\n"
    "    return [0] * len(rows) if scale else []\n"
)


def slow_root(root: Path, seconds: float = 0.005) -> Path:
    """Write a publication of a function that takes so many seconds."""
    from sklearn.datasets import load_iris

    X, _ = load_iris(return_X_y=True, as_frame=True)
    namespace: dict[str, Any] = {"X": X, "scale": 2.0}
    source = SOURCE.format(seconds=seconds)
    exec(source, namespace)
    report = collect(namespace, CaptureRequest(names=["scale"], predict="predict"), root)
    assert not report.problems
    return write_publication(root, report, source)


def memory(service: Service) -> float:
    """Return what all processes of a service hold, in MB."""
    text = service.client.get("/metrics").text
    found = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1]) / 1e6


def overload(service: Service, rate: float, seconds: float, kill: bool) -> tuple[Load, list[float]]:
    """Send so many requests a second; return what came, and the memory in MB at even times."""
    port = int(service.url.rpartition(":")[2])
    held: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        start = time.monotonic()
        killed = not kill
        while not ended.wait(max(0.5, seconds / 60)):
            if not killed and time.monotonic() - start > seconds / 2:
                children = psutil.Process(service.process.pid).children()
                next(each for each in children if "worker" in each.cmdline()).kill()
                killed = True
            with contextlib.suppress(httpx.TransportError):  # it may be the killed one's
                held.append(memory(service))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        found = asyncio.run(load(port, rate, seconds))
    finally:
        ended.set()
        watching.join()
    return found, held


LIMITS = {"MLOPS_MAX_WAITING": "16", "MLOPS_WORKERS": "2"}


def main() -> None:
    """Run both and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--malformed", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = slow_root(Path(name))
        for kill in (False, True):
            seconds = min(options.seconds, 60) if kill else options.seconds
            with serving(root, Path(name), **LIMITS) as service:
                port = int(service.url.rpartition(":")[2])
                rate = asyncio.run(sustainable(port, min(10.0, seconds)))
                found, held = overload(service, 2 * rate, seconds, kill)
            share = found.statuses["200"] / found.statuses.total()
            thirds = ", ".join(f"{found.p99(i, 3) * 1000:.0f} ms" for i in range(3))
            print(
                f"{'kill -9 in the middle: ' if kill else ''}{seconds:.0f} s at {2 * rate:.0f} "
                f"requests/s (sustainable {rate:.0f}): {dict(found.statuses)}, {share:.0%} "
                f"accepted, their p99 in each third {thirds}; memory {held[0]:.0f} MB at first, "
                f"{held[-1]:.0f} MB at last",
                flush=True,
            )
        with serving(root, Path(name), **LIMITS) as service:
            port = int(service.url.rpartition(":")[2])
            before = memory(service)
            found_4xx, wrong = attack(port, options.malformed, seed=0)
            print(
                f"{options.malformed} malformed requests: {dict(found_4xx)}; not 4xx: {wrong}; "
                f"memory {before:.0f} MB before, {memory(service):.0f} MB after",
                flush=True,
            )


if __name__ == "__main__":
    main()
