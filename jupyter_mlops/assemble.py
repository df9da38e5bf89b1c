"""Put a publication's folder together, prove that its service answers, and make layers of it."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from jupyter_mlops import report as reports
from jupyter_mlops import report_data, settings
from jupyter_mlops.analyze import Extracted
from jupyter_mlops.capture import profiles
from jupyter_mlops.capture.models import CaptureReport, CaptureRequest, DataVersion, FileVersion
from jupyter_mlops.environment.ground import Ground
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.environment.system.layer import Added
from jupyter_mlops.environment.verify import Environment
from jupyter_mlops.errors import CaptureError
from jupyter_mlops.events import Log, OnEvent, Progress
from jupyter_mlops.image import contents
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.compiled import compile_modules
from jupyter_mlops.image.compression import Compression
from jupyter_mlops.image.layer import Layer, build_layer, remember_layer, remembered_layer
from jupyter_mlops.image.manifest import Image, build_image, created
from jupyter_mlops.image.shelf import Shelf
from jupyter_mlops.image.weights import FOLDER as WEIGHTS
from jupyter_mlops.image.weights import weights_layers
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.packing import Packing
from jupyter_mlops.pipeline import material, slicing, steps, training
from jupyter_mlops.pipeline.run import Place, Ran
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.runtime.publication import Publication

CHECK_SECONDS = 300


@dataclass(frozen=True)
class Draft:
    """A publication in the making: what is known of it, and the folder it grows in.

    ``added`` is the layer of system packages that the image gets, if it gets one.
    """

    root: Path
    source: Notebook
    extracted: Extracted
    ground: Ground
    lock: Lock
    environment: Environment
    added: Added | None = None

    @property
    def place(self) -> Place:
        """Return where its code runs before there is an image: the environment of its lock."""
        paths = [self.root / "lib", self.root / "src"]
        return Place(root=self.root, python=self.environment.python, paths=paths)

    @property
    def step(self) -> Path:
        """Return the notebook that papermill runs."""
        return self.root / steps.MAIN


@dataclass(frozen=True)
class Asked:
    """What a person asks for beyond what the notebook's text says.

    ``model`` chooses among several fitted estimators, ``captures`` are names to save with who
    asks for them, ``shipped`` the files of the notebook's folder that go along, ``signature`` is
    the file with an edited signature. With ``allow_pickle`` what has no safe format is pickled.
    """

    model: str | None = None
    captures: Mapping[str, str] = field(default_factory=dict)
    shipped: Sequence[Path] = ()
    signature: Path | None = None
    allow_pickle: bool = False


@dataclass(frozen=True)
class Verified:
    """What the verified run came to, and the files it left; ``proof`` is what it proves.

    ``loaded``: there was no run, the captures come from a live kernel.
    """

    ran: Ran
    report: CaptureReport
    executed: Path
    journal: Path
    trace: Path
    proof: Literal["full", "loaded"] = "full"

    @property
    def page(self) -> Path:
        """Return where the report lies that a person opens: one file, complete in itself."""
        return self.executed.with_name("report.html")


def write_sources(draft: Draft) -> None:
    """Write what is known before the run: our code, the notebooks, the lock, the slice."""
    import nbformat

    source, extracted = draft.source, draft.extracted
    files = dict(contents.library_files())
    files["notebook.ipynb"] = nbformat.writes(steps.stripped(source)).encode() + b"\n"
    files[steps.MAIN] = nbformat.writes(extracted.step_notebook).encode() + b"\n"
    files["pylock.toml"] = draft.lock.text.encode()
    files |= service_files(extracted)
    for path in draft.ground.inferred.local:
        files[f"src/{path.as_posix()}"] = (source.path.parent / path).read_bytes()
    contents.write(files, draft.root)
    write_steps(draft)


def service_files(extracted: Extracted) -> dict[str, bytes]:
    """Return the code that answers, if the notebook has some."""
    service = extracted.service
    return {} if service is None else {"service.py": service.source.encode()}


def write_steps(draft: Draft) -> None:
    """Write the notebooks of the steps; those of an earlier plan go."""
    import nbformat

    extracted = draft.extracted
    for old in draft.step.parent.glob("[0-9]*-*.ipynb"):
        old.unlink()
    files: dict[str, bytes] = {}
    parts = material.parts(draft.source, extracted.step_notebook)
    for step, planned in zip(extracted.steps, extracted.plan.steps, strict=True):
        node = material.step_notebook(extracted.step_notebook, parts, planned.cells)
        files[step.notebook] = nbformat.writes(material.described(node, planned)).encode() + b"\n"
    contents.write(files, draft.root)


def capture_request(draft: Draft, asked: Asked) -> CaptureRequest:
    """Return what the verified run is asked to capture."""
    parameters = {parameter.name for parameter in draft.extracted.found.parameters}
    flow = draft.extracted.flow
    indices = {cell.number: cell.index for cell in draft.source.cells}
    service, fitted = draft.extracted.service, draft.extracted.fitted
    needed = service.captured if service else []
    names = list(dict.fromkeys([*needed, *asked.captures]))
    made = {name: max(flow.producers(name) or (), default=None) for name in names}
    cells = {name: indices[number] for name, number in made.items() if number is not None}
    return CaptureRequest(
        names=names,
        model=asked.model,
        predict=service.function if service else None,
        asked=service.asked if service else [],
        fit_inputs={item.name: item.inputs for item in fitted},
        class_names=slicing.class_names(draft.source, parameters),
        allow_pickle=asked.allow_pickle,
        cells=cells | {item.name: indices[item.cell] for item in fitted},
        wanted=dict(asked.captures),
        trained=training.trained(draft.source),
        made_from=training.made_from(flow),
        **draft.extracted.services.request(),
    )


def write_publication(
    draft: Draft,
    base: Base,
    verified: Verified | None,
    data: Sequence[DataVersion] = (),
    files: Sequence[FileVersion] = (),
    *,
    allowed_secrets: Sequence[str] = (),
    onnx: bool = False,
) -> Publication:
    """Write ``publication.json`` and, after a verified run, signature, golden rows and report."""
    report = verified.report if verified else CaptureReport()
    source, lock = draft.source, draft.lock
    profile = draft.root / profiles.FILE_NAME
    publication = Publication(
        name=source.name,
        title=source.title,
        description=source.description,
        authors=_authors(source),
        notebook_sha256=_sha256(draft.root / "notebook.ipynb"),
        lock_sha256=lock.sha256,
        python=lock.python,
        platform=lock.platform,
        kernel=draft.ground.kernel.name,
        parameters=draft.extracted.found.parameters,
        steps=draft.extracted.steps,
        metrics=verified.ran.metrics if verified else {},
        captures=report.captures,
        predictor=report.predictor,
        signature=report.signature,
        data=list(data),
        files=list(files),
        profile_sha256=_sha256(profile) if profile.is_file() else "",
        verified=verified.proof if verified else "none",
        direct=direct_versions(draft),
        base=publications.Base(name=base.name, digest=base.digest),
        system_packages=draft.added.packages if draft.added else {},
        allowed_secrets=sorted(set(allowed_secrets)),
        onnx=onnx,
        created=created(),
        generator=f"jupyter-mlops {_our_version()}",
    )
    made = {publications.FILE_NAME: publications.encode(publication)}
    if report.signature:
        made["signature.json"] = msgspec.json.encode(report.signature)
    if report.golden:
        made["golden.json"] = msgspec.json.encode(report.golden)
    if verified:
        page = reports.write(verified.executed, source.title, report_data.section(publication))
        verified.page.write_text(page, encoding="utf-8")
        shipped, parts = reports.split(page)
        made |= {"report.html": shipped.encode(), **parts}
    contents.write(made, draft.root)
    return publication


def check(place: Place, publication: Publication) -> list[str]:
    """Load the service as the image will, and compare its answers with the notebook's own.

    Returns the module files that were imported on the way. Raises ``CaptureError`` when an
    answer differs or the service does not load.
    """
    done = subprocess.run(
        [str(place.python), "-m", "jupyter_mlops.runtime", "check", "--root", str(place.root)],
        capture_output=True,
        text=True,
        env=place.environment(),
        timeout=CHECK_SECONDS,
        cwd=place.root,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        answer = {}
    if not answer.get("ok"):
        found = answer.get("mismatches") or done.stderr.strip().splitlines()[-1:]
        raise CaptureError(
            "The packaged service does not answer as the notebook does",
            why="; ".join(str(item) for item in found[:3]) or "It does not load",
            remedy="Do in cells outside of predict(rows) what needs files, variables, or many rows "
            "at once (its result is captured), and all else in the function",
            where=publication.predictor.name or "",
        )
    return [str(item) for item in answer.get("modules", [])]


def build(
    draft: Draft,
    base: Base,
    publication: Publication,
    modules: list[str],
    on_event: OnEvent,
    packing: Packing | None = None,
) -> Image:
    """Build the image, the same every time.

    Base, system packages, packages, compiled modules, weights, our own library (the same for all
    publications), and the notebook's code. ``packing`` is for what a publish makes itself; the
    base and system packages stay as they are.
    """
    root, store, packing = draft.root, settings.store(), packing or Packing()
    compression, shelf = packing.compression, packing.shelf
    with ThreadPoolExecutor(1, thread_name_prefix="compile") as beside:
        compiled = beside.submit(_compiled, draft, modules, store, compression, shelf)
        packages, notes = packing.packages(draft.environment, draft.lock)
    added = [draft.added.layer] if draft.added else []
    for note in (*(note for layer in added for note in layer.notes), *notes):
        on_event(Log(level="warning", text=note))
    layers = [*added, *packages]
    on_event(Progress(stage="build", done=1, total=3, unit="parts", label="packages"))
    layers += compiled.result()
    layers += weights_layers(root, store=store, compression=compression)
    on_event(Progress(stage="build", done=2, total=3, unit="parts", label="weights"))
    files = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.parent.name != WEIGHTS
    )
    # What changes together stands together: most publishes change nothing but the code.
    for kind, paths in contents.divide(files).items():
        entries = contents.entries(root, paths)
        shared = kind == "library"  # each publication has it: others have packed it, too
        layers.append(
            build_layer(
                entries,
                kind=kind,
                title=kind,
                store=store,
                key=contents.library_key() if shared else None,
                compression=compression,
                shelf=shelf if shared else None,
            )
        )
    on_event(Progress(stage="build", done=3, total=3, unit="parts", label="code"))
    return build_image(base, layers, contents.config(_labels(publication)))


def _compiled(
    draft: Draft, modules: list[str], store: Path, compression: Compression, shelf: Shelf | None
) -> list[Layer]:
    """Return the layer of compiled modules: the root file system is read-only in a container."""
    root, environment = draft.root, draft.environment
    prefixes = ((f"{environment.site_packages}/", "site/"), (f"{root}/lib/", "lib/"))
    pairs = [
        (source, place + source.removeprefix(prefix))
        for source in sorted(modules)
        for prefix, place in prefixes
        if source.startswith(prefix) and source.endswith(".py")
    ]
    if not pairs:
        return []
    title = "compiled modules"
    find = functools.partial(
        remembered_layer, kind="pyc", title=title, store=store, compression=compression, shelf=shelf
    )
    key = _compiled_key(draft, [place for _, place in pairs])
    known = find(key)
    if known is not None:
        return [known]
    # Another lock often has the very same modules: they are looked at when it is a new one.
    text = json.dumps([(place, _sha256(Path(source))) for source, place in pairs])
    content = f"pyc 2 {draft.environment.version()} {_digest(text)}"
    layer = find(content)
    if layer is None:
        cache = root.parent / "pyc"
        paths = compile_modules(pairs, environment.python, cache)
        entries = contents.entries(cache, paths)
        layer = build_layer(
            entries,
            kind="pyc",
            title=title,
            store=store,
            key=content,
            compression=compression,
            shelf=shelf,
        )
    remember_layer(layer, key, store=store, compression=compression, shelf=shelf)
    return [layer]


def _compiled_key(draft: Draft, places: list[str]) -> str:
    """Name what the compiled modules depend on: the lock, our own code, and the interpreter."""
    ours = {place: _sha256(draft.root / place) for place in places if place.startswith("lib/")}
    text = json.dumps([draft.lock.sha256, draft.environment.version(), places, ours])
    return f"pyc 2 {_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _labels(publication: Publication) -> dict[str, str]:
    return {
        contents.LABEL: publications.compact(publication).decode(),
        "org.opencontainers.image.title": publication.title or publication.name,
        "org.opencontainers.image.description": publication.description,
        "org.opencontainers.image.authors": ", ".join(publication.authors),
    }


def _authors(source: Notebook) -> list[str]:
    authors = source.node.metadata.get("authors", [])
    names = [a.get("name", "") if isinstance(a, Mapping) else str(a) for a in authors]
    return [name for name in names if name]


def direct_versions(draft: Draft) -> dict[str, str]:
    """Return what the notebook needs itself, with the versions of the lock."""
    return {name: _version(draft.lock, name) for name in draft.ground.direct()}


def _version(lock: Lock, name: str) -> str:
    normal = name.lower().replace("_", "-").replace(".", "-")
    return next((p.version for p in lock.packages if p.name == normal), "")


def _our_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("jupyter_mlops")
    except PackageNotFoundError:
        return "unknown"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
