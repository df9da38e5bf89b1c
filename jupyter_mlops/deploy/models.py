"""A service and its record on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.errors import NotFoundError

State = Literal["ready", "starting", "stopped", "failed"]
Kind = Literal["process", "docker"]


class Service(msgspec.Struct, frozen=True, kw_only=True, rename={"with_": "with"}):
    """A publication that answers HTTP: where, what, and by which means.

    ``pid`` and ``born`` (the process's start, in clock ticks since boot) name a process for
    certain; ``container`` names a container. ``log`` is the process's log file.
    """

    id: str
    reference: str
    digest: str
    name: str
    url: str
    with_: Kind
    state: State
    started: str
    pid: int | None = None
    born: int | None = None
    container: str | None = None
    log: str = ""


def save(service: Service) -> None:
    """Write the record of a service atomically; only its owner may read it."""
    folder = settings.services()
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{service.id}.tmp"
    temporary.write_bytes(msgspec.json.encode(service))
    temporary.chmod(0o600)
    temporary.replace(folder / f"{service.id}.json")


def load(service_id: str) -> Service:
    """Return a service's record. Raises ``NotFoundError``."""
    path = settings.services() / f"{service_id}.json"
    try:
        if not service_id.isalnum():
            raise OSError
        return msgspec.json.decode(path.read_bytes(), type=Service)
    except (OSError, msgspec.DecodeError):
        raise NotFoundError(
            f"There is no service '{service_id}'", remedy="List them: jupyter mlops services"
        ) from None


def load_all() -> list[Service]:
    """Return every record, the newest service first."""
    found = []
    for path in settings.services().glob("*.json"):
        try:
            found.append(load(path.stem))
        except NotFoundError:
            continue
    return sorted(found, key=lambda service: service.started, reverse=True)


def forget(service_id: str) -> None:
    """Remove a service's record."""
    (settings.services() / f"{service_id}.json").unlink(missing_ok=True)


def born(pid: int) -> int | None:
    """Return when a process started (clock ticks since boot, Linux), or ``None`` if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None if not _alive(pid) else 0


def _alive(pid: int) -> bool:
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
