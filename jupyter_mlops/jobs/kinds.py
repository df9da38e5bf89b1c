"""The kinds of work a job can do: what may be asked, what it is about, and which function does it.

A new kind is one request class, one function and one row of ``KINDS``. The functions run in the
job's own process and import the spine there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import UsageError
from jupyter_mlops.events import OnEvent


class Request(Protocol):
    """What every request class can say of itself."""

    def settled(self, base: Path) -> Any:
        """Return the request with every local path made absolute, relative to ``base``."""

    def subject(self) -> str:
        """Return what the work is about; the same subject is never worked on twice at once."""

    def title(self) -> str:
        """Return the name of the work for people."""


class PublishRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Publish the notebook at ``path`` to ``target``."""

    path: str
    target: str | None = None
    parameters: dict[str, Any] | None = None
    verify: Literal["full", "none"] = "full"
    model: str | None = None
    predict: str | None = None
    captures: list[str] = []
    ship_data: list[str] = []
    from_kernel: str | None = None
    signature: str | None = None
    base: str | None = None
    system_packages: Literal["auto", "ask", "none"] = "ask"
    environment: LockOptions = LockOptions()
    answers: dict[str, str] = {}
    allowed_secrets: list[str] = []
    compression: Literal["gzip", "zstd"] = "gzip"
    platforms: list[str] = []
    audit: Literal["tell", "refuse", "none"] | None = None
    allow_pickle: bool = False
    onnx: bool = False

    def settled(self, base: Path) -> PublishRequest:
        """Return the request with every local path made absolute."""
        return msgspec.structs.replace(
            self,
            path=_file(self.path, base),
            target=_reference(self.target, base) if self.target else None,
            base=_reference(self.base, base) if self.base else None,
            signature=_file(self.signature, base) if self.signature else None,
        )

    def subject(self) -> str:
        """Return the notebook, whatever name it goes by, and the target."""
        return _key(str(Path(self.path).resolve()), self.target or "")

    def title(self) -> str:
        """Return the name of the work for people."""
        return f"Publish {Path(self.path).name}"


class RunRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Run a publication (``reference``) or a notebook (``path``) with parameters."""

    reference: str | None = None
    path: str | None = None
    parameters: dict[str, Any] = {}
    output: str | None = None

    def __post_init__(self) -> None:
        if (self.reference is None) == (self.path is None):
            raise ValueError("give either `reference` or `path`")

    def settled(self, base: Path) -> RunRequest:
        """Return the request with every local path made absolute."""
        return msgspec.structs.replace(
            self,
            reference=_reference(self.reference, base) if self.reference else None,
            path=_file(self.path, base) if self.path else None,
            output=_file(self.output, base) if self.output else None,
        )

    @property
    def what(self) -> str:
        """Return the reference or the path to run."""
        return self.reference or self.path or ""

    def subject(self) -> str:
        """Return what is run and with which parameters."""
        what = self.reference or str(Path(self.path or "").resolve())
        return _key(what, self.parameters)

    def title(self) -> str:
        """Return the name of the work for people."""
        return f"Run {_short(self.what)}"


class ServeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Serve a publication as a plain process or as a container."""

    reference: str
    with_: Literal["process", "docker"] = msgspec.field(name="with", default="process")
    port: int | None = None

    def settled(self, base: Path) -> ServeRequest:
        """Return the request with every local path made absolute."""
        return msgspec.structs.replace(self, reference=_reference(self.reference, base))

    def subject(self) -> str:
        """Return what is served, how and where."""
        return _key(self.reference, self.with_, self.port)

    def title(self) -> str:
        """Return the name of the work for people."""
        return f"Serve {_short(self.reference)}"


class Kind(msgspec.Struct, frozen=True):
    """A kind of work: ``call`` (``package.module:function``) does what ``request`` describes."""

    call: str
    request: type[Request]


KINDS: dict[str, Kind] = {
    "publish": Kind("jupyter_mlops.jobs.kinds:publish", PublishRequest),
    "run": Kind("jupyter_mlops.jobs.kinds:run", RunRequest),
    "serve": Kind("jupyter_mlops.jobs.kinds:serve", ServeRequest),
}


def checked(
    name: str, request: Mapping[str, Any], base: Path, kinds: Mapping[str, Kind] = KINDS
) -> tuple[Kind, Request]:
    """Return the kind and its request with absolute paths; raises ``UsageError`` otherwise."""
    kind = kinds.get(name)
    if kind is None:
        known = ", ".join(sorted(kinds))
        raise UsageError(f"There is no kind of job called {name!r}", remedy=f"Use one of: {known}")
    try:
        asked = msgspec.convert(dict(request), kind.request)
    except msgspec.ValidationError as error:
        raise UsageError(f"The {name} request is not valid", why=str(error)) from None
    return kind, asked.settled(base)


def publish(request: dict[str, Any], on_event: OnEvent) -> Any:
    """Publish a notebook (see ``jupyter_mlops.publish``)."""
    from jupyter_mlops.publish import publish

    asked = msgspec.convert(request, PublishRequest)
    return publish(
        Path(asked.path),
        asked.target,
        parameters=asked.parameters,
        verify=asked.verify,
        model=asked.model,
        predict=asked.predict,
        captures=asked.captures,
        ship_data=asked.ship_data,
        from_kernel=asked.from_kernel,
        signature=Path(asked.signature) if asked.signature else None,
        base=asked.base,
        system_packages=asked.system_packages,
        environment=asked.environment,
        answers=asked.answers,
        allowed_secrets=asked.allowed_secrets,
        compression=asked.compression,
        platforms=asked.platforms,
        audit=asked.audit,
        allow_pickle=asked.allow_pickle,
        onnx=asked.onnx,
        on_event=on_event,
    )


def run(request: dict[str, Any], on_event: OnEvent) -> Any:
    """Run a publication or a notebook with parameters (see ``jupyter_mlops.rerun``)."""
    from jupyter_mlops.rerun import rerun

    asked = msgspec.convert(request, RunRequest)
    output = Path(asked.output) if asked.output else None
    return rerun(asked.what, asked.parameters, output=output, on_event=on_event)


def serve(request: dict[str, Any], on_event: OnEvent) -> Any:
    """Serve a publication (see ``jupyter_mlops.serve``)."""
    from jupyter_mlops.serve import serve

    asked = msgspec.convert(request, ServeRequest)
    return serve(asked.reference, with_=asked.with_, port=asked.port, on_event=on_event)


def _file(path: str, base: Path) -> str:
    return str(base / Path(path).expanduser())


def _reference(reference: str, base: Path) -> str:
    scheme, colon, rest = reference.partition(":")
    return f"oci:{_file(rest, base)}" if (scheme, colon) == ("oci", ":") else reference


def _key(*parts: Any) -> str:
    return msgspec.json.encode(parts, order="deterministic").decode()


def _short(reference: str) -> str:
    """Return the part of a reference or path that tells it from others: ``iris:v2``."""
    last = reference.rpartition("/")[2]
    return last.partition(":")[2] or last if reference.startswith("oci:") else last
