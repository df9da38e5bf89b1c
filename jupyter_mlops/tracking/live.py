"""Follows the journal of a live kernel, in a process apart, and sends it to MLflow.

The kernel neither imports MLflow nor waits for it. The kernel's end closes our standard input,
however it ended, so what it logged last is sent too; what cannot be sent stays in the journal
and is sent by whichever follower comes next.
"""

from __future__ import annotations

import argparse
import logging
import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from jupyter_mlops.tracking import flush, store
from jupyter_mlops.tracking.model import TrackingError

GATHER = 0.5  # seconds that a burst of entries is gathered for

logger = logging.getLogger("jupyter_mlops.tracking")


class Sent(msgspec.Struct, kw_only=True):
    """How far a journal was sent, and to which run; kept beside it as ``<journal>.sent``."""

    name: str
    uri: str = ""
    run_id: str = ""
    offset: int = 0
    ended: bool = False


class Follower:
    """Sends one journal to one run of the experiment ``name``."""

    def __init__(self, journal: Path, name: str) -> None:
        self.journal = journal
        self.file = journal.with_name(f"{journal.name}.sent")
        try:
            self.sent = msgspec.json.decode(self.file.read_bytes(), type=Sent)
        except (OSError, msgspec.DecodeError):
            self.sent = Sent(name=name)

    def flush(self, *, last: bool = False) -> None:
        """Send what is new; ``last`` ends the run. Raises ``TrackingError``."""
        entries, offset = flush.new_entries(self.journal, self.sent.offset)
        if not self.sent.run_id:
            if not entries:
                self.sent.ended = last
                self.save()
                return
            self._begin()
        if entries:
            flush.send(self.sent.run_id, entries)
            self.sent.offset = offset
            self.save()
        if last and not self.sent.ended:
            with store.told(store.uri()):
                store.client().set_terminated(self.sent.run_id, "FINISHED")
            self.sent.ended = True
            self.save()

    def _begin(self) -> None:
        experiment = store.experiment(self.sent.name)
        with store.told(store.uri()):
            run = store.client().create_run(
                experiment, run_name=self.sent.name, tags={"mlflow.source.type": "NOTEBOOK"}
            )
        self.sent.run_id = str(run.info.run_id)
        self.sent.uri = store.shown(store.uri())
        self.save()

    def save(self) -> None:
        """Write down how far the journal was sent."""
        draft = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        draft.write_bytes(msgspec.json.encode(self.sent))
        draft.replace(self.file)


def follow(journal: Path, name: str) -> int:
    """Send the journal as it grows until standard input ends; return the process's exit code."""
    with FileLock(f"{journal}.lock"):
        follower = Follower(journal, name)
        follower.save()  # from now on a sweep knows of this journal
        while _nudged():
            _try(follower)
        done = _try(follower, last=True)
    if done:
        sweep(journal.parent)
    return 0 if done else 1


def sweep(folder: Path) -> None:
    """Send what earlier followers could not: journals that nobody follows any more."""
    for file in folder.glob("*.sent"):
        journal = file.with_name(file.name.removesuffix(".sent"))
        follower = Follower(journal, journal.stem)
        ours = follower.sent.uri in ("", store.shown(store.uri()))
        if ours and not follower.sent.ended:
            try:
                with FileLock(f"{journal}.lock", timeout=0):
                    _try(Follower(journal, journal.stem), last=True)
            except Timeout:
                continue  # somebody follows it


def _nudged() -> bool:
    """Wait until the kernel says that there is something, and a little; ``False`` at its end."""
    descriptor = sys.stdin.fileno()
    if not os.read(descriptor, 1 << 16):
        return False
    ready, _, _ = select.select([descriptor], [], [], GATHER)
    while ready:
        if not os.read(descriptor, 1 << 16):
            return False
        ready, _, _ = select.select([descriptor], [], [], 0)
    return True


def _try(follower: Follower, *, last: bool = False) -> bool:
    try:
        follower.flush(last=last)
    except (TrackingError, OSError) as error:
        logger.warning("%s", error)
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Follow the journal named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_mlops.tracking", description=__doc__)
    parser.add_argument("journal", type=Path)
    parser.add_argument("--name", required=True, help="the experiment")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    return follow(options.journal, options.name)
