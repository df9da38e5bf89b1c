"""The manifest of a publication: ``publication.json``. Two builds of one thing give one text."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import msgspec.structs

from jupyter_mlops.capture.models import Capture, Predictor, Signature
from jupyter_mlops.runtime.parameters import Parameter

SCHEMA = "io.jupyter-mlops.publication/v1"
FILE_NAME = "publication.json"


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
    verified: Literal["full", "loaded", "none"] = "none"
    direct: dict[str, str] = {}
    base: Base = Base()
    system_packages: dict[str, str] = {}
    allowed_secrets: list[str] = []
    created: str = "1970-01-01T00:00:00Z"
    generator: str = ""


def encode(publication: Publication) -> bytes:
    """Return the JSON text of a publication: the same bytes for equal publications."""
    compact = msgspec.json.encode(publication, order="deterministic")
    return msgspec.json.format(compact, indent=2) + b"\n"


def compact(publication: Publication) -> bytes:
    """Return the shortest JSON text that ``decode`` reads: what has its default is left out."""
    return msgspec.json.encode(
        {"schema": publication.schema, **_told(publication)}, order="deterministic"
    )


def _told(value: object) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = ((field, getattr(value, field.name)) for field in msgspec.structs.fields(value))
        return {field.encode_name: _told(item) for field, item in fields if item != _default(field)}
    if isinstance(value, list):
        return [_told(item) for item in value]
    return value


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
