"""The papers of a publication: what is in its image, and how it was made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from jupyter_mlops.assemble import Draft
from jupyter_mlops.attest import attached, licenses, provenance, sbom
from jupyter_mlops.attest.keys import PrivateKey
from jupyter_mlops.attest.models import Contents, Data, Wheel
from jupyter_mlops.attest.provenance import Build
from jupyter_mlops.environment.verify import installed_hashes
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import Artifact
from jupyter_mlops.pipeline import files
from jupyter_mlops.runtime.publication import Publication


def write(
    draft: Draft, publication: Publication, image: Image, key: PrivateKey | None = None
) -> list[Artifact]:
    """Return what is attached to a publication's image: SBOM and provenance.

    They are the same each time the same is published; a key seals the provenance.
    """
    contents = _contents(draft, publication)
    listed = sbom.write(contents)
    made = provenance.write(image.digest, contents, _build(draft, publication), listed)
    return attached.artifacts(image.descriptor, listed, made, publication.created, key)


def _contents(draft: Draft, publication: Publication) -> Contents:
    added = draft.added
    return Contents(
        name=publication.name,
        generator=publication.generator,
        created=publication.created,
        platform=publication.platform,
        base_name=publication.base.name,
        base_digest=publication.base.digest,
        wheels=_wheels(draft),
        system=added.system if added else "",
        system_packages=added.shipped if added else {},
        captures=[
            Data(
                name=item.name,
                sha256=item.sha256,
                size=item.size,
                kind="model" if item.kind == "estimator" else "data",
            )
            for item in publication.captures
        ],
    )


def _wheels(draft: Draft) -> list[Wheel]:
    taken = installed_hashes(draft.environment, draft.lock)
    said = licenses.licenses(draft.environment.site_packages)
    found = []
    for package in draft.lock.packages:
        expression, names = said.get(package.name, ("", []))
        installed = taken.get(package.name)
        found.append(
            Wheel(
                name=package.name,
                version=package.version,
                sha256=[installed] if installed else sorted(package.wheels.values()),
                expression=expression,
                licenses=names,
            )
        )
    return found


def _build(draft: Draft, publication: Publication) -> Build:
    return Build(
        notebook_sha256=publication.notebook_sha256,
        lock_sha256=publication.lock_sha256,
        external={
            "notebook": publication.name,
            "notebookSha256": publication.notebook_sha256,
            "parameters": {
                item.name: msgspec.to_builtins(item.default) for item in publication.parameters
            },
            "target": {"platform": publication.platform, "python": publication.python},
            "verified": publication.verified,
            **({"runOn": publication.run_on} if publication.run_on else {}),
        },
        internal={
            "allowedSecrets": publication.allowed_secrets,
            "systemPackages": publication.system_packages,
            "created": publication.created,
        },
        inputs=list(_inputs(draft)),
    )


def _inputs(draft: Draft) -> Iterator[Data]:
    """Yield the files beside the notebook that it takes: modules, and data that it names.

    What the notebook writes itself is none of them, nor what lies elsewhere on this machine.
    """
    folder = draft.source.path.parent
    for module in draft.ground.inferred.local:
        yield from _file(folder, module.as_posix(), "code")
    written = {path for step in draft.extracted.plan.steps for path in step.files_written}
    for name in sorted(set(files.beside(draft.source)) - written):
        if not Path(name).is_absolute() and ".." not in Path(name).parts:
            yield from _file(folder, name, "data")


def _file(folder: Path, name: str, kind: Literal["data", "code"]) -> Iterator[Data]:
    try:
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield Data(name=name, sha256=digest, size=file.tell(), kind=kind)
    except OSError:
        return  # gone since the run, or not readable: then it went into nothing
