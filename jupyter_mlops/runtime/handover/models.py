"""What is told to a step before it runs, and what it commits when it ends."""

from __future__ import annotations

import msgspec


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A top-level statement that is executed as text: an import, ``def``, ``class``, a setup line.

    ``cell`` counts code cells from one; ``names`` is what it binds, empty for setup lines.
    """

    cell: int
    names: list[str] = []
    source: str


class StepSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What one step is, as the pipeline declares it.

    ``reads`` are the names that must be there, ``optional`` those that may be. ``wanted`` are the
    names that any later step mentions: only they are worth exporting. ``writes`` and ``state`` are
    what the step is declared to change. ``defines`` are names that the step's own cells bind by
    statements which later steps execute as text; ``None`` where nobody has looked: then every class
    statement counts as one.
    """

    name: str
    position: int
    cells: list[int] = []
    reads: list[str] = []
    optional: list[str] = []
    wanted: list[str] = []
    writes: list[str] = []
    definitions: list[Definition] = []
    files_read: list[str] = []
    state: list[str] = []
    defines: list[str] | None = None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Where a step finds what was handed over, and where it commits to; all paths are absolute.

    ``before`` are the folders of the steps before it, in program order. ``work`` is the step's
    working directory (empty: the current one), and so many folders ``above`` it are the step's
    too.
    ``durable`` makes a commit survive a power cut.
    """

    spec: StepSpec
    before: list[str]
    out: str
    beside: str
    python_path: list[str] = []
    work: str = ""
    above: int = 0
    durable: bool = False


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One unit: a name, or several names that share objects. ``size`` is in bytes."""

    names: list[str]
    file: str
    format: str
    sha256: str
    size: int
    types: dict[str, str] = {}
    needs: list[str] = []


class Carry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that cannot be handed over, and why: ``reason`` is a sentence."""

    name: str
    type: str = ""
    reason: str


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of a committed step, written last.

    ``state`` and ``files`` hold what the step changed, with the SHA-256 of what it is at the end;
    a path that ends with ``/`` is a folder. ``undeclared`` is what changed, or was read, although
    the pipeline did not declare it. ``network`` says that it was used: what came from there may be
    something else the next time. ``milliseconds`` is how long begin and end took.
    """

    step: str
    position: int
    cells: list[int] = []
    loaded: dict[str, int] = {}
    exported: list[Exported] = []
    deleted: list[str] = []
    state: dict[str, str] = {}
    files: dict[str, str] = {}
    removed_files: list[str] = []
    undeclared: list[str] = []
    network: bool = False
    problems: list[Carry] = []
    milliseconds: dict[str, float] = {}


class HandoverError(RuntimeError):
    """The state of the notebook cannot be put in place; says what is missing, and why."""


class CannotCarry(ValueError):
    """A value that cannot leave its process; ``offender`` is the object at fault, if known."""

    def __init__(self, reason: str, offender: object = None) -> None:
        self.reason = reason
        self.offender = offender
        super().__init__(reason)
