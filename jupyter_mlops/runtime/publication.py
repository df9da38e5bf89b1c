"""The manifest of a publication: ``publication.json``. Two builds of one thing give one text."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import msgspec.structs

from jupyter_mlops.capture.models import Capture, DataVersion, FileVersion, Predictor, Signature
from jupyter_mlops.runtime.parameters import Parameter

SCHEMA = "io.jupyter-mlops.publication/v1"
FILE_NAME = "publication.json"
#: The folder with the notebook's files that were asked to go along.
DATA = "data"
#: How many files a label tells one by one.
LABELLED = 20


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A named group of cells, itself a notebook that papermill runs.

    ``notebook`` is its file relative to the publication's root, ``cells`` the indices in the
    published notebook. ``inputs`` and ``outputs`` are names that come from earlier steps and that
    later ones read, ``after`` the steps that it needs.
    """

    name: str
    notebook: str
    cells: list[int] = []
    title: str = ""
    inputs: list[str] = []
    outputs: list[str] = []
    parameters: list[str] = []
    after: list[str] = []


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The base image that the publication stands on."""

    name: str = ""
    digest: str = ""


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """What was published. It holds no time, host or user of the build.

    ``created`` comes from SOURCE_DATE_EPOCH, else the epoch. ``version`` and the image's digest
    belong to the registry and are not part of it. ``python`` is the minor version ("3.11"),
    ``platform`` is "linux/amd64" and the like, ``direct`` maps distributions to versions,
    ``notebook`` is what a run executes: all steps, in one kernel. ``system_packages`` maps Debian
    packages that were added to the base to their versions. ``allowed_secrets`` are fingerprints
    of texts that were taken for secrets, and that a person said are none.

    ``verified`` says what proves it: ``full`` is a run on this very platform from this very lock;
    ``elsewhere`` is that of the same notebook, weights and versions on the platform ``run_on``,
    which stands in no other record: nothing was run on this one. ``loaded`` says that captures
    and answers come from a live kernel, and that the fresh environment loaded them and answered
    the same; the notebook itself was not run.

    With ``onnx`` a person wants ONNX Runtime to answer where it agrees with the model.

    ``data`` are the versions of what the models were trained on, ``files`` those of the files
    that the run read; ``profile_sha256`` is that of ``profile.json``.
    """

    name: str
    notebook_sha256: str
    lock_sha256: str
    python: str
    platform: str
    schema: str = SCHEMA
    title: str = ""
    description: str = ""
    authors: list[str] = []
    kernel: str = "python3"
    parameters: list[Parameter] = []
    notebook: str = "pipeline/main.ipynb"
    steps: list[Step] = []
    metrics: dict[str, float] = {}
    captures: list[Capture] = []
    predictor: Predictor = Predictor()
    signature: Signature | None = None
    data: list[DataVersion] = []
    files: list[FileVersion] = []
    profile_sha256: str = ""
    verified: Literal["full", "loaded", "none", "elsewhere"] = "none"
    run_on: str | msgspec.UnsetType = msgspec.UNSET
    direct: dict[str, str] = {}
    base: Base = Base()
    system_packages: dict[str, str] = {}
    allowed_secrets: list[str] = []
    onnx: bool = False
    created: str = "1970-01-01T00:00:00Z"
    generator: str = ""


def encode(publication: Publication) -> bytes:
    """Return the JSON text of a publication: the same bytes for equal publications."""
    compact = msgspec.json.encode(publication, order="deterministic")
    return msgspec.json.format(compact, indent=2) + b"\n"


def folded(files: Sequence[FileVersion], most: int) -> list[FileVersion]:
    """Return at most ``most`` entries: where there are more files, folders stand for theirs.

    Folders with the most files are folded first.
    """
    groups: dict[str, list[FileVersion]] = {}
    alone = list(files)
    while len(alone) + len(groups) > most and alone:
        filled = Counter(_place(each.path) for each in alone)
        place = max(filled, key=lambda each: (filled[each], each.count("/"), each))
        inside = [each for each in alone if _within(each.path, place)]
        below = [group for group in groups if _within(group, place)]
        groups[place] = [*inside, *(each for group in below for each in groups.pop(group))]
        alone = [each for each in alone if not _within(each.path, place)]
    entries = [*alone, *(_folder(place, members) for place, members in groups.items())]
    return sorted(entries, key=lambda each: (each.path, each.sha256))


def _place(path: str) -> str:
    folder, slash, _ = path.rpartition("/")
    return folder + slash or "./"


def _within(path: str, place: str) -> bool:
    return place == "./" or path.startswith(place)


def _folder(place: str, members: Sequence[FileVersion]) -> FileVersion:
    lines = sorted((each.path, each.sha256) for each in members)
    text = "".join(f"{digest}  {path}\n" for path, digest in lines)
    unread = sum(1 for each in members if not each.sha256)
    return FileVersion(
        path=place,
        size=sum(each.size for each in members),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        inside=all(each.inside for each in members),
        count=sum(each.count for each in members),
        shipped=all(each.shipped for each in members),
        note=f"{unread} of them could not be read." if unread else "",
    )


def compact(publication: Publication) -> bytes:
    """Return the shortest JSON text that ``decode`` reads: what has its default is left out.

    A label is no place for much: of data versions the columns, and of many files all but their
    folders, stand in ``publication.json`` only.
    """
    replace = msgspec.structs.replace
    publication = replace(
        publication,
        data=[replace(each, columns=[]) for each in publication.data],
        files=folded(publication.files, LABELLED),
    )
    return msgspec.json.encode(
        {"schema": publication.schema, **_told(publication)}, order="deterministic"
    )


def _told(value: object) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = ((field, getattr(value, field.name)) for field in _fields(type(value)))
        return {field.encode_name: _told(item) for field, item in fields if item != _default(field)}
    if isinstance(value, list):
        return [_told(item) for item in value]
    return value


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _default(field: msgspec.structs.FieldInfo) -> object:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()


def decode(data: bytes) -> Publication:
    """Read the JSON text of a publication; raises ``ValueError`` when it is not one."""
    publication = msgspec.json.decode(data, type=Publication)
    if publication.schema != SCHEMA:
        raise ValueError(f"the publication's schema is {publication.schema!r}, not {SCHEMA!r}")
    return publication


def load(root: Path) -> Publication:
    """Read ``publication.json`` of an unpacked publication; raises ``OSError``, ``ValueError``."""
    return decode((root / FILE_NAME).read_bytes())
