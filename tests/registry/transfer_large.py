"""Push and pull generated blobs in a process of its own, and print what memory it took at most.

``python -m tests.registry.transfer_large REGISTRY COUNT:MEBIBYTES…``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from jupyter_mlops.registry.client import RemoteRepository
from tests.registry.images import GeneratedBlob, generated_image


def peak() -> int:
    """Return the most memory that this process has had in use so far, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise RuntimeError("There is no VmHWM here")


def main() -> None:
    """Push a small image for the baseline, then the large one, then read all of it."""
    registry, *sizes = sys.argv[1:]
    repository = RemoteRepository(registry, "lab/large")
    small = generated_image(GeneratedBlob(100, 1))
    repository.push(small, ["small"])
    blobs = [
        GeneratedBlob(seed, int(size.partition(":")[2]))
        for size in sizes
        for seed in range(int(size.partition(":")[0]))
    ]
    image = generated_image(*blobs)
    before = peak()
    repository.push(image, ["latest"])
    pushed = peak()
    read = 0
    for blob in blobs:
        with repository.blob(blob.descriptor.digest) as pieces:
            read += sum(map(len, pieces))
    print(json.dumps({"before": before, "pushed": pushed, "pulled": peak(), "read": read}))


if __name__ == "__main__":
    main()
