"""What a publication stands on: the notebook's kernel, or its stand-in, and what it needs there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement

from jupyter_mlops.environment import era, kernel, runtime_needs
from jupyter_mlops.environment import lock as locks
from jupyter_mlops.environment.distributions import as_problem
from jupyter_mlops.environment.infer import infer
from jupyter_mlops.environment.interpreter import Interpreter
from jupyter_mlops.environment.kernel import Kernel
from jupyter_mlops.environment.models import Inferred, Lock
from jupyter_mlops.environment.names import normal
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import LockError, Problem
from jupyter_mlops.events import Log, OnEvent, ignore
from jupyter_mlops.notebook import Notebook


@dataclass(frozen=True)
class Ground:
    """The kernel of a notebook, or what takes its place, and what the notebook needs there."""

    notebook: Notebook
    kernel: Kernel
    interpreter: Interpreter
    options: LockOptions
    inferred: Inferred

    def in_the_way(self) -> list[Problem]:
        """Return what stops a lock: problems, and questions that nobody has answered."""
        asked = (as_problem(question) for question in self.inferred.questions)
        return [*self.inferred.problems, *asked]

    def direct(self) -> list[str]:
        """Return the distributions that the notebook needs itself, after a person's edits."""
        removed = {normal(name) for name in self.options.removals}
        names = {normal(each.name): each.name for each in self.inferred.dependencies}
        names = {key: name for key, name in names.items() if key not in removed}
        for text in self.options.additions:
            name = Requirement(text).name
            names.setdefault(normal(name), name)
        return [names[key] for key in sorted(names)]


def find(
    notebook: Notebook,
    options: LockOptions | None = None,
    *,
    answers: Mapping[str, str] | None = None,
    on_event: OnEvent = ignore,
) -> Ground:
    """Ask the notebook's kernel what it has; where it is gone, its era takes its place.

    ``answers`` are a person's: a distribution for each module in question. What earlier runs of
    the notebook were seen to need counts. Raises ``LockError`` for a kernel of another language,
    one that cannot be read, and one that is gone where only the file's time tells the era.
    """
    chosen = options or LockOptions()
    try:
        found = kernel.find(notebook.kernel_name, notebook.path.name, notebook.path.parent)
    except kernel.KernelGone as gone:
        instead = era.stand_in(notebook, chosen, gone=gone, on_event=on_event)
        found, interpreter, chosen = instead.kernel, instead.interpreter, instead.options
    else:
        interpreter = kernel.probe(found)
    inferred = infer(notebook, interpreter, answers=answers)
    seen = runtime_needs.recall(notebook)
    inferred = runtime_needs.add(inferred, seen, interpreter, answers=answers)
    return Ground(notebook, found, interpreter, chosen, inferred)


def settle(found: Ground, on_event: OnEvent = ignore) -> Ground:
    """Return the ground that a lock can be made on, after telling what is odd about it.

    Raises ``LockError`` with everything that is in the way.
    """
    problems = found.in_the_way()
    if problems:
        raise LockError.collect(problems)
    for warning in found.inferred.warnings:
        on_event(Log(level="warning", text=warning.sentence()))
    return found


def lock(found: Ground, on_event: OnEvent = ignore) -> Lock:
    """Lock what the notebook needs as far as it is known. Raises ``MlopsError``."""
    return locks.lock(
        found.inferred.dependencies,
        found.interpreter,
        options=found.options,
        folder=found.notebook.path.parent,
        on_event=on_event,
    )
