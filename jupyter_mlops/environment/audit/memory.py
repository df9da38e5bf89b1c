"""What was answered for a lock is remembered for a day: publishing again asks nobody."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.environment.audit.models import Audit

LASTS = timedelta(days=1)
#: Where not one package is known, what answers is hardly PyPI: somebody may mend that soon.
BRIEFLY = timedelta(minutes=10)


def recall(sha256: str, service: str) -> Audit | None:
    """Return what the service said of a lock within a day, if it was asked and knew anything."""
    try:
        known = msgspec.json.decode((settings.audits() / f"{sha256}.json").read_bytes(), type=Audit)
        age = datetime.now(UTC) - datetime.fromisoformat(known.date)
    except (OSError, ValueError):
        return None
    unknown = sum(len(each.packages) for each in known.unchecked)
    lasts = LASTS if unknown < known.packages else BRIEFLY
    return known if known.service == service and timedelta() <= age < lasts else None


def keep(sha256: str, audit: Audit) -> None:
    """Remember an answer, and forget old ones. Where nothing can be written, nothing is kept."""
    folder = settings.audits()
    part = folder / f".{sha256}.{os.getpid()}"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(audit))
        part.replace(folder / f"{sha256}.json")
        for old in folder.iterdir():
            if time.time() - old.stat().st_mtime > LASTS.total_seconds():
                old.unlink()
