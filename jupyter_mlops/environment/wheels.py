"""Wheels that no index has, kept by their hash: a lock names them, and can still be installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from jupyter_mlops import settings
from jupyter_mlops.environment.models import Lock

#: The folder beside a lock that its paths name.
FOLDER = "wheels"


def keep(path: Path, sha256: str) -> Path:
    """Keep a wheel, so that its lock can be installed when the folder it came from is gone."""
    place = settings.wheels() / sha256 / path.name
    if not place.is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.{os.getpid()}")
        _link(path, part)
        part.replace(place)
    return place


def kept(lock: Lock) -> dict[str, Path]:
    """Return, by their file names, the wheels of a lock that are kept here."""
    places = {
        name: settings.wheels() / sha256 / name
        for package in lock.packages
        for name, sha256 in package.wheels.items()
    }
    return {name: place for name, place in places.items() if place.is_file()}


def place_beside(lock: Lock, folder: Path) -> None:
    """Copy the kept wheels of a lock into the folder where its paths look for them."""
    for name, place in kept(lock).items():
        (folder / FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(place, folder / FOLDER / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
