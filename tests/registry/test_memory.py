"""Memory does not grow with the blob: 2 GB go out and come in within 64 MB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.registry.faulty import FaultyRegistry, Repeated, reset, times
from tests.registry.images import GeneratedBlob, piece_of

MOST = 64 << 20
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes", ["1:2048", "7:160"], ids=["one blob of 2 GB", "seven large blobs at a time"]
)
def test_memory_does_not_grow_with_the_blob(sizes: str, record_property: Any) -> None:
    count, _, mebibytes = sizes.partition(":")
    blobs = [GeneratedBlob(seed, int(mebibytes)) for seed in range(int(count))]
    with FaultyRegistry(keep=False) as server:
        for seed, blob in enumerate(blobs):
            server.large[blob.descriptor.digest] = Repeated(piece_of(seed), blob.count)
        # It is large only when it is read: before that, the registry does not have it.
        server.rules.append(
            lambda handler: bool(
                handler.command == "HEAD"
                and "/blobs/" in handler.path
                and not server.holds("lab/large", handler.path.rpartition("/")[2])
                and not handler.error(404, "BLOB_UNKNOWN")
            )
        )
        # One break on the way out and on the way in, so that going on is measured as well.
        server.rules.append(times(1, "PATCH", f"D{64 << 20}", reset(after=1 << 20)))
        done = subprocess.run(
            [sys.executable, "-m", "tests.registry.transfer_large", server.url, sizes],
            capture_output=True, text=True, cwd=ROOT, timeout=300,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        total = sum(blob.descriptor.size for blob in blobs)
        assert found["read"] == total
        for when in ("pushed", "pulled"):
            record_property(when, found[when] - found["before"])
            assert found[when] - found["before"] <= MOST
        assert server.count("PATCH") >= total // (32 << 20)
        assert server.received < total + (40 << 20)  # one chunk in vain, and the small image
        assert "latest" in server.tags("lab/large")
