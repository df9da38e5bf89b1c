"""Which wheels fit a target, the preferred one first (PEP 425)."""

from __future__ import annotations

from functools import lru_cache

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

#: The newest glibc that every base image has (see ``options.UV_PLATFORMS``), and the oldest tags.
GLIBC = range(28, 4, -1)
OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
NEVER = 1 << 30


def rank(name: str, python: str, platform: str) -> int:
    """Return how good a wheel's file name is for a target: 0 is best, ``NEVER`` does not fit."""
    try:
        tags = parse_wheel_filename(name)[3]
    except InvalidWheelFilename:
        return NEVER
    order = _order(python, platform)
    return min((order[tag] for tag in tags if tag in order), default=NEVER)


@lru_cache(maxsize=8)
def _order(python: str, platform: str) -> dict[Tag, int]:
    """Return the tags of a target, each with its place among them."""
    major, minor = (int(part) for part in python.split("."))
    machine = MACHINES[platform]
    platforms = []
    for number in GLIBC:
        platforms.append(f"manylinux_2_{number}_{machine}")
        if number in OLD_NAMES:
            platforms.append(f"{OLD_NAMES[number]}_{machine}")
    platforms.append(f"linux_{machine}")
    interpreter = f"cp{major}{minor}"
    every = [
        *cpython_tags((major, minor), [interpreter], platforms),
        *compatible_tags((major, minor), interpreter, platforms),
    ]
    return {tag: place for place, tag in reversed(list(enumerate(every)))}
