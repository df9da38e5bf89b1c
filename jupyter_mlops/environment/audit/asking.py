"""Ask for all packages that are locked, several at once, beside other work and not for long."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from jupyter_mlops import settings
from jupyter_mlops.environment.audit import memory
from jupyter_mlops.environment.audit.models import Audit, Unchecked
from jupyter_mlops.environment.audit.service import Answer, Service, name_of
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.environment.sizes import best

AT_ONCE = 8
#: Beyond this, what has not been answered is not checked.
SECONDS = 15.0
#: Where nobody has answered anything by then, nobody is going to.
FIRST_SECONDS = 5.0

_LATE = Answer(why="there was no answer in time", lasts=False)
_ABSENT = "pip-audit is not installed (pip install 'jupyter_mlops[audit]')"


class _Wanted(NamedTuple):
    """A release that is asked for, and the hashes of its files that are locked."""

    name: str
    version: str
    files: set[str]


def switched_off(locks: Sequence[Lock], why: str) -> Audit:
    """Return the answer of an audit that asks nobody."""
    every = list(_wanted(locks))
    unchecked = [Unchecked(why=why, packages=every)]
    return Audit(state="not checked", packages=len(every), unchecked=unchecked)


class Asking:
    """The audit of locks under way: it begins at once, in threads that end with the process.

    They are those of one publication, one for each platform; ``key`` names them together. What
    leaves are the names and versions of packages, to the service that ``settings.audit_service``
    names.
    """

    def __init__(
        self, locks: Sequence[Lock], *, seconds: float = SECONDS, first: float = FIRST_SECONDS
    ) -> None:
        self.key = key_of(locks)
        self._wanted = _wanted(locks)
        self._address = settings.audit_service()
        self._service = name_of(self._address)
        self._until = time.monotonic() + seconds
        self._first_until = time.monotonic() + min(first, seconds)
        self._heard = threading.Event()
        self._answers: dict[str, Answer] = {}
        self._stopped: Answer | None = None
        self._threads: list[threading.Thread] = []
        self._known = memory.recall(self.key, self._service)
        if self._known is None:
            self._begin()

    def result(self) -> Audit:
        """Wait for the answers, at most until the time is up, and return what is known."""
        if self._known is None:
            if self._heard.wait(_left(self._first_until)):
                for thread in self._threads:
                    thread.join(_left(self._until))
            self._known = self._settled(self._answers.copy())
        return self._known

    def _begin(self) -> None:
        self._waiting = deque(self._wanted)
        if not self._waiting:
            self._heard.set()
        for number in range(min(AT_ONCE, len(self._waiting))):
            thread = threading.Thread(target=self._run, name=f"audit-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._heard.set()

    def _work(self) -> None:
        """Ask for one package after the other, until there is none or there is no point."""
        try:
            service = Service(self._address)
        except ImportError:
            self._service, self._stopped = "", Answer(why=_ABSENT, lasts=False)
            return
        except Exception as error:  # another version of pip-audit
            kind = type(error).__name__
            why = f"pip-audit does not work here ({kind})"
            self._service, self._stopped = "", Answer(why=why, lasts=False)
            return
        while self._stopped is None and time.monotonic() < self._until:
            try:
                title = self._waiting.popleft()
            except IndexError:
                return
            answer = service.ask(*self._wanted[title])
            self._answers[title] = answer
            self._heard.set()
            if answer.down:
                self._stopped = answer

    def _settled(self, answers: Mapping[str, Answer]) -> Audit:
        missing = self._stopped or _LATE
        every = {title: answers.get(title, missing) for title in self._wanted}
        why: dict[str, list[str]] = {}
        for title, answer in every.items():
            if answer.why:
                why.setdefault(answer.why, []).append(title)
        found = [advisory for answer in every.values() for advisory in answer.found]
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        audit = Audit(
            state="found" if found else "not checked" if why else "clean",
            packages=len(every),
            found=found,
            unchecked=[Unchecked(why=reason, packages=each) for reason, each in why.items()],
            service=self._service,
            date=now if self._service else "",
        )
        if self._service and all(each.lasts for each in every.values()):
            memory.keep(self.key, audit)
        return audit


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


def key_of(locks: Sequence[Lock]) -> str:
    """Name locks together, in whatever order; one lock by its own hash."""
    hashes = sorted({lock.sha256 for lock in locks})
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _wanted(locks: Sequence[Lock]) -> dict[str, _Wanted]:
    """Return what is locked by its title ("numpy 1.26.4"); without a file, none will match."""
    found: dict[str, _Wanted] = {}
    for lock in locks:
        for package in lock.packages:
            title = f"{package.name} {package.version}".strip()
            wanted = found.setdefault(title, _Wanted(package.name, package.version, set()))
            wanted.files.add(package.wheels[best(package, lock)] if package.wheels else "")
    return found
