"""A stand-in for a kernel that is gone: the packages as they were when the notebook was used."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass

from msgspec.structs import replace

from jupyter_mlops.environment import dated
from jupyter_mlops.environment.dated import Dated
from jupyter_mlops.environment.interpreter import Interpreter
from jupyter_mlops.environment.kernel import Kernel
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.environment.verify import bare
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Log, OnEvent, ignore
from jupyter_mlops.notebook import Notebook

#: The oldest Python that runs what is in every image of ours.
OLDEST = (3, 11)


@dataclass(frozen=True)
class StandIn:
    """What takes the kernel's place; ``options`` have the date, ``note`` says all of it."""

    kernel: Kernel
    interpreter: Interpreter
    options: LockOptions
    note: str


def stand_in(
    notebook: Notebook,
    options: LockOptions | None = None,
    *,
    gone: LockError | None = None,
    on_event: OnEvent = ignore,
) -> StandIn:
    """Return a Python without packages, and options with the notebook's own date.

    A date or a Python that ``options`` name already is kept. What was chosen, and why, is told.
    Raises ``LockError`` where this machine has no such Python, ``MlopsError`` where nothing
    tells the date; ``gone``, which says that there is no kernel, where only the file's time does.
    """
    given = options or LockOptions()
    if given.exclude_newer:
        day, why = given.exclude_newer, "as it was asked for"
    else:
        known = dated.evidence(notebook)
        if gone is not None and not known.sure:
            raise _without_day(gone, known) from None
        day, why = known.day.isoformat(), known.why
    python, because = _python(notebook, given)
    note = (
        f"The kernel '{notebook.kernel_name}' is gone: packages are taken as they were on {day} "
        f"({why}), for Python {python} ({because})"
    )
    on_event(Log(level="warning", text=note))
    kernel = Kernel(notebook.kernel_name, f"Python {python} without packages", str(bare(python)))
    return StandIn(kernel, _empty(python), replace(given, exclude_newer=day), note)


def _without_day(gone: LockError, known: Dated) -> LockError:
    (problem,) = gone.problems
    remedy = f"{problem.remedy}. For packages as they were on a day, name it: --exclude-newer "
    remedy += f"{known.day.isoformat()} ({known.why})"
    return LockError.collect([replace(problem, remedy=remedy)])


def _python(notebook: Notebook, options: LockOptions) -> tuple[str, str]:
    """Return the minor version to take, and why that one."""
    if options.python:
        return options.python, "as it was asked for"
    told = notebook.node.metadata.get("language_info", {}).get("version", "")
    found = re.match(r"(\d+)\.(\d+)", str(told))
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not found:
        return ours, "the notebook does not tell its own"
    wanted = f"{found[1]}.{found[2]}"
    if (int(found[1]), int(found[2])) < OLDEST:
        oldest = f"{OLDEST[0]}.{OLDEST[1]}"
        return _there(oldest) or ours, f"its own, {wanted}, is older than what images run"
    if _there(wanted):
        return wanted, "its own"
    return ours, f"its own, {wanted}, is not installed here"


def _there(python: str) -> str:
    try:
        bare(python)
    except LockError:
        return ""
    return python


def _empty(python: str) -> Interpreter:
    return Interpreter(
        python=f"{python}.0",
        system=platform.system(),
        machine=platform.machine(),
        stdlib=frozenset(sys.stdlib_module_names) | frozenset(sys.builtin_module_names),
        versions={},
        origins={},
    )
