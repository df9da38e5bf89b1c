"""Which data a verified run worked with: the files that it read, and what its models saw."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from jupyter_mlops.assemble import Draft, Verified
from jupyter_mlops.capture.models import DataVersion, FileVersion
from jupyter_mlops.events import Log, OnEvent, Progress
from jupyter_mlops.pipeline import files as named_files
from jupyter_mlops.pipeline import trace
from jupyter_mlops.runtime.publication import folded
from jupyter_mlops.runtime.trace.models import CellTrace

#: How many files are told one by one; of more, folders are told.
LISTED = 1_000
#: From this size on, progress is told, in bytes.
LARGE = 64 << 20
_TEXTS = frozenset({".ipynb", ".py", ".pyc"})


@dataclass(frozen=True)
class Data:
    """The data of a publication, for its manifest."""

    data: list[DataVersion]
    files: list[FileVersion]


def of(
    draft: Draft, verified: Verified | None, on_event: OnEvent, shipped: Sequence[Path] = ()
) -> Data:
    """Return what was trained on and the files that were read, each hashed once.

    ``shipped`` are files of the notebook's folder that go along: they count in any case, and
    without a run nothing else does. Everything that could not be found out is noted, and told.
    """
    if verified is None:
        folder = draft.source.path.parent
        known = [_version(folder, path.as_posix(), "text", "", on_event) for path in shipped]
        along = [msgspec.structs.replace(each, shipped=True) for each in known if each]
        return Data([], folded(along, LISTED))
    records = trace.read(verified.trace) if verified.trace.is_file() else []
    found = Data(
        data=_settled(verified.report.data, draft, records),
        files=folded(_files(draft, records, shipped, on_event), LISTED),
    )
    notes = [(each.name, each.note) for each in found.data]
    notes += [(each.path, each.note) for each in found.files]
    for name, note in notes:
        if note:
            on_event(Log(level="warning", text=f"data {name}: {note}"))
    if not records and verified.proof == "full":
        text = "nobody knows which files the run read: what its text names is recorded"
        on_event(Log(level="warning", text=text))
    elif any("*" in record.files_read for record in records):
        text = "a cell ran commands, or opened very many files: which ones they read is not known"
        on_event(Log(level="warning", text=text))
    return found


def _settled(
    data: Iterable[DataVersion], draft: Draft, records: Sequence[CellTrace]
) -> list[DataVersion]:
    """Return the versions; where a cell changed the data after the training, that is noted."""
    numbers = {cell.index: cell.number for cell in draft.source.cells}
    settled = []
    for version in data:
        root = version.name.partition("[")[0].partition(".")[0]
        trained = numbers.get(-1 if version.cell is None else version.cell)
        later = [
            record.number
            for record in records
            if trained is not None
            and record.number > trained
            and root in {*record.bound, *record.mutated, *record.deleted}
        ]
        if later and version.sha256:
            note = (
                f"Cell {later[0]} changed it after cell {trained} trained on it: "
                "this is how it was at the end."
            )
            version = msgspec.structs.replace(version, note=f"{version.note} {note}".strip())
        settled.append(version)
    return settled


def _files(
    draft: Draft, records: Sequence[CellTrace], shipped: Sequence[Path], on_event: OnEvent
) -> list[FileVersion]:
    """Return the versions of the files that came from outside of the run."""
    folder = draft.source.path.parent
    code = {path.as_posix() for path in draft.ground.inferred.local}
    along = {path.as_posix() for path in shipped}
    read: dict[str, str] = {}
    written: set[str] = set()
    for record in sorted(records, key=lambda each: each.number):
        for name in record.files_read:
            if name not in written and _counts(name, code):
                read.setdefault(name, "")
        for name in record.files_written:
            if name in read:
                read[name] = "The run changed it: this is how it was afterwards."
        written.update(record.files_written)
    found = {name: _version(folder, name, "run", note, on_event) for name, note in read.items()}
    # Libraries in C open files unseen: what the text names, and nobody wrote, counts as read.
    for name in (*named_files.beside(draft.source), *along):
        path = Path(name).as_posix()
        named = path in along or (path not in written and _counts(path, code))
        if path not in found and named:
            found[path] = _version(folder, path, "text", "", on_event)
    # A file elsewhere is told by its name alone, so two of them may look the same.
    told = {
        (each.path, each.sha256): msgspec.structs.replace(each, shipped=name in along)
        for name, each in found.items()
        if each is not None
    }
    return sorted(told.values(), key=lambda each: (each.path, each.sha256))


def _counts(name: str, code: Collection[str]) -> bool:
    """Tell a file of data from a folder that was listed, and from code."""
    if name == "*" or name.endswith("/") or name in code:
        return False
    return Path(name).suffix not in _TEXTS


def _version(
    folder: Path, name: str, seen: str, note: str, on_event: OnEvent
) -> FileVersion | None:
    """Return a file's version; None for what was there for a moment only, outside the folder."""
    path = folder / name
    inside = not Path(name).is_absolute() and ".." not in Path(name).parts
    shown = Path(name).as_posix() if inside else path.name
    about = {"path": shown, "inside": inside, "seen": seen}
    try:
        if not path.is_file():
            if not inside and _is_temporary(path):
                return None
            note = "It cannot be read any more." if not path.exists() else "It is no plain file."
            return msgspec.convert({**about, "note": note}, FileVersion)
        size, digest = _hashed(path, shown, on_event)
    except OSError as error:
        note = f"It cannot be read: {error.strerror or type(error).__name__}."
        return msgspec.convert({**about, "note": note}, FileVersion)
    return msgspec.convert({**about, "size": size, "sha256": digest, "note": note}, FileVersion)


def _is_temporary(path: Path) -> bool:
    return path.resolve().is_relative_to(Path(tempfile.gettempdir()).resolve())


def _hashed(path: Path, shown: str, on_event: OnEvent) -> tuple[int, str]:
    """Return size and SHA-256, reading the file once, a few megabytes at a time."""
    total = path.stat().st_size
    digest, done, told = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while block := file.read(4 << 20):
            digest.update(block)
            done += len(block)
            if done - told >= LARGE:
                told = done
                on_event(
                    Progress(stage="assemble", done=done, total=total, unit="bytes", label=shown)
                )
    return done, digest.hexdigest()
