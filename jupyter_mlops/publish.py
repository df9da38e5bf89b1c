"""THE SPINE: a notebook becomes a publication in a registry. Read it from top to bottom.

read → environment → lock → run → capture → assemble → build → push → record
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import (
    analyze,
    asked,
    assemble,
    audits,
    data_versions,
    elsewhere,
    leaks,
    live,
    papers,
    prove,
    pushing,
    recording,
    settings,
    shared_layers,
    shipping,
    signatures,
    stars,
)
from jupyter_mlops import notebook as notebooks
from jupyter_mlops.analyze import Extracted
from jupyter_mlops.assemble import Asked, Verified
from jupyter_mlops.attest import keys
from jupyter_mlops.capture.models import Capture, Signature
from jupyter_mlops.environment import ground as grounds
from jupyter_mlops.environment import lock as locks
from jupyter_mlops.environment.audit.models import Audit
from jupyter_mlops.environment.audit.models import Mode as AuditMode
from jupyter_mlops.environment.ground import Ground
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.environment.system.needs import Mode as SystemPackages
from jupyter_mlops.errors import NotebookError, UsageError
from jupyter_mlops.events import Log, OnEvent, Stages, ignore
from jupyter_mlops.image.base import Base, resolve_base
from jupyter_mlops.image.compression import BY_NAME, CompressionName
from jupyter_mlops.image.index import platform_of
from jupyter_mlops.image.sweep import sweep
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.packing import Packing
from jupyter_mlops.pipeline.parameters import check
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.runtime.parameters import Parameter
from jupyter_mlops.tracking import store as tracking


class StageTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long a stage took, in seconds."""

    name: str
    seconds: float


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What a publish came to.

    ``reference`` is the tag asked for, which moves; ``versioned`` is the tag of this version,
    which stays. ``pushed_bytes`` are the bytes that really went over. ``audit`` is what was known
    of its packages on that day; the image does not hold it. ``signed_by`` is the fingerprint of
    the key that signed it, empty when none did. ``verified`` is the word of the kernel's platform,
    whatever other ``platforms`` there are.
    """

    reference: str
    versioned: str
    digest: str
    version: int
    verified: str
    name: str
    stages: list[StageTime]
    pushed_bytes: int
    size: int
    metrics: dict[str, float]
    parameters: list[Parameter]
    captures: list[Capture]
    signature: Signature | None
    report: str
    run: str
    audit: Audit
    signed_by: str = ""
    platforms: list[str] = []


def publish(
    notebook: Path | str,
    target: str | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    verify: asked.Verify = "full",
    from_kernel: str | None = None,
    model: str | None = None,
    predict: str | None = None,
    captures: Sequence[str] = (),
    ship_data: Sequence[str] = (),
    signature: Path | None = None,
    base: str | None = None,
    system_packages: SystemPackages = "ask",
    environment: LockOptions | None = None,
    answers: Mapping[str, str] | None = None,
    allowed_secrets: Sequence[str] = (),
    compression: CompressionName = "gzip",
    audit: AuditMode | None = None,
    key: Path | None = None,
    platforms: Sequence[str] = (),
    allow_pickle: bool = False,
    onnx: bool = False,
    on_event: OnEvent = ignore,
) -> Published:
    """Publish a saved notebook to ``target`` (default: the default registry) and say what it is.

    ``parameters`` (typed values) and ``texts`` (values as typed on a command line) become the
    publication's defaults; ``model`` chooses among several fitted estimators, ``predict`` names the
    function that answers; ``captures`` are names to save beyond those that answering needs;
    ``ship_data`` are files and folders beside the notebook that go along, or names whose value
    does; ``signature`` is a file that says more of the inputs (see ``signatures``; by default the
    one beside the notebook). With ``from_kernel`` (a connection file, the id of a kernel, or
    ``auto`` for the one that runs the notebook) nothing is run: the objects of that kernel are
    saved, and must answer the same once they are loaded (``verified: loaded``). ``base`` is the
    base image; ``system_packages`` says what becomes of libraries and programs that the base lacks:
    ``ask`` refuses and names them, ``auto`` adds their packages, ``none`` does not look.
    ``environment`` are a person's edits of what is locked, ``answers`` name the distribution of
    modules in question; ``allowed_secrets`` are fingerprints of what looks like a secret and is
    none, which the publication records; ``compression`` is that of the layers that are made here:
    all engines read gzip, new ones zstd, which is smaller; ``audit`` says what becomes of known
    vulnerabilities (see ``audits``; by default, what the operator says). SBOM and provenance are
    attached to the image; ``key``, the file of a private key, signs both it and them. Of several
    ``platforms``, the kernel's among them, each gets an image, and an index lists them all; only
    the kernel's is run, and the records of the others say so (see ``elsewhere``). With
    ``allow_pickle`` values that no safe format keeps are pickled, and marked as such everywhere;
    with ``onnx`` ONNX Runtime answers where the service finds that it agrees with the model.

    Raises ``MlopsError`` with every problem that is known at that point. The tag is written last,
    so a publish that fails changes nothing that others see, and it can simply be called again.
    """
    stages = Stages(on_event)
    tracking.warm()
    verified: Verified | None = None
    with _workspace() as work:
        with stages.stage("read"):
            given = parameters or {}, texts or {}
            source, extracted, values = _read(notebook, predict, *given, on_event)
            leaks.check_notebook(source, extracted, allowed_secrets)
            kernel = asked.kernel(from_kernel, source, values, platforms, verify)
            wanted = asked.wanted(
                source, extracted, model, captures, ship_data, verify, signature,
                allow_pickle=allow_pickle,
            )  # fmt: skip
            leaks.check_data(source.path.parent, wanted.shipped, allowed_secrets, on_event)
            place = _target(target, source.name)
            signer = keys.private(key) if key else None
            shared = shared_layers.beside(place, signer, on_event)
            packing = Packing(BY_NAME[compression], shared)
        with stages.stage("environment"):
            locking = asked.environment(environment, onnx)
            ground = grounds.find(source, locking, answers=answers, on_event=on_event)
            prove.check_target(grounds.settle(ground, on_event))
            leaks.check_files(source.path.parent, ground.inferred.local, allowed_secrets)
            bases = partial(_base, base, ground, on_event)
            plot = prove.Plot(work, bases(locks.platform_of(ground.interpreter)), system_packages)
            others = elsewhere.find(platforms, ground, plot, bases)
        with stages.stage("lock"):
            draft = prove.draft(plot, extracted, ground, on_event)
            others.prepare(draft, on_event)
            auditing = audits.begin([draft.lock, *others.locks()], audit)
        if kernel is not None:
            packing.begin(draft.environment, draft.lock)
            stages.skip("run", "the objects come from a live kernel")
            with stages.stage("capture"):
                verified = live.capture(draft, wanted, kernel, on_event)
                draft = prove.with_code(draft, verified.report)
                verified = _checked(verified, wanted, allowed_secrets, on_event)
        elif verify == "full":
            packing.begin(draft.environment, draft.lock)
            with stages.stage("run"):
                draft, verified = prove.run(plot, draft, values, wanted, on_event)
            with stages.stage("capture"):
                verified = _checked(verified, wanted, allowed_secrets, on_event)
        else:
            stages.skip("run", "verify is none: nothing proves that this notebook runs")
            stages.skip("capture", "captures come from the verified run")
        with stages.stage("assemble"):
            shipping.put(source.path.parent, wanted.shipped, draft.root)
            data = data_versions.of(draft, verified, on_event, wanted.shipped)
            publication = assemble.write_publication(
                draft, plot.base, verified, data.data, data.files,
                allowed_secrets=allowed_secrets, onnx=onnx,
            )  # fmt: skip
            modules = assemble.check(draft.place, publication)
        with stages.stage("build"):
            made = assemble.build(draft, plot.base, publication, modules, on_event, packing)
            attached = [papers.write(draft, publication, made, signer)]
            proven = elsewhere.Proven(draft, publication, modules, made)
            image, more = others.beside(proven, packing, signer, on_event)
            if shared:
                for each in (plot, *others.plots.values()):
                    shared.below(each.base.layers)
        with stages.stage("push"):
            audited = audits.settle(auditing, [draft.lock, *others.locks()], on_event)
            pushed, version = pushing.push(image, [*attached, *more], place, signer, on_event)
            if shared:
                shared.tell()
        with stages.stage("record"):
            kept = recording.keep(draft, verified, image.digest)
            run = recording.record(
                publication, place, image, version, verified, audited, kept, on_event
            )
            sweep(settings.store())
    return Published(
        reference=str(place),
        versioned=str(place.with_tag(f"v{version}")),
        digest=image.digest,
        version=version,
        verified=publication.verified,
        name=publication.name,
        stages=[StageTime(name=name, seconds=s) for name, s in stages.seconds.items()],
        pushed_bytes=pushed,
        size=image.size,
        metrics=publication.metrics,
        parameters=publication.parameters,
        captures=publication.captures,
        signature=publication.signature,
        report=str(kept[-1]) if kept else "",
        run=run,
        audit=audited,
        signed_by=signer.public.fingerprint if signer else "",
        platforms=[platform_of(each) for each in image.images],
    )


@contextmanager
def _workspace() -> Iterator[Path]:
    """Yield a folder that is gone afterwards, whatever happens."""
    folder = settings.home() / "work" / uuid.uuid4().hex[:12]
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(
    path: Path | str,
    predict: str | None,
    parameters: Mapping[str, Any],
    texts: Mapping[str, str],
    on_event: OnEvent,
) -> tuple[Notebook, Extracted, dict[str, Any]]:
    source = stars.resolve(notebooks.read(path))
    extracted = analyze.extract(source, predict)
    if extracted.problems:
        raise NotebookError.collect(extracted.problems)
    found = extracted.found
    if found.source == "proposed" and found.cell is not None:
        names = ", ".join(parameter.name for parameter in found.parameters)
        on_event(
            Log(text=f"No cell is tagged 'parameters'; {found.cell.where} is taken for it: {names}")
        )
    values = check(found.parameters, parameters, texts, source.path.name)
    return source, analyze.with_defaults(extracted, values), values


def _target(text: str | None, name: str) -> Reference:
    """Return where to publish, with a tag, after asking it: a wrong password costs no run."""
    place = Reference.parse(text or analyze.default_target(name))
    if place.is_layout and not place.repository and place.tag is None:
        place = Reference.below(f"oci:{place.directory}", name)
    if place.digest:
        raise UsageError(
            "A digest cannot be published to",
            why="It names content that exists already",
            remedy=f"Leave it out: {place.with_tag(place.tag or 'latest')}",
        )
    open_repository(place).tags()
    return place.with_tag(place.tag or "latest")


def _checked(
    verified: Verified, wanted: Asked, allowed_secrets: Sequence[str], on_event: OnEvent
) -> Verified:
    """Return what was captured, with an edited signature; raises what is wrong with it."""
    prove.check_captures(verified.report, on_event)
    leaks.check_report(verified.executed, allowed_secrets)
    return signatures.apply(verified, wanted.signature, on_event)


def _base(spec: str | None, ground: Ground, on_event: OnEvent, platform: str) -> Base:
    return resolve_base(
        spec or settings.base_image(),
        python=ground.interpreter.minor,
        platform=platform,
        store=settings.store(),
        open_repository=lambda text: open_repository(Reference.parse(text)),
        on_event=on_event,
    )
