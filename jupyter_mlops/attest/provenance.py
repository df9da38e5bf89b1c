"""How an image was made: an in-toto statement (v1) with SLSA's provenance (v1) as predicate.

Nothing in it tells a clock, a user, a host or a path, so equal publishes give equal bytes.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from jupyter_mlops.attest import names
from jupyter_mlops.attest.models import IN_TOTO, Contents, Data
from jupyter_mlops.image.blob import BytesBlob
from jupyter_mlops.image.manifest import canonical

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://jupyter-mlops.readthedocs.io/provenance/notebook/v1"
BUILDER = f"{BUILD_TYPE}#builder"


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What a publish was asked and what it took, beside what the image is made of.

    ``external`` is what the person chose, ``internal`` what followed; ``inputs`` are files beside
    the notebook: modules that are shipped, and data that its text names.
    """

    notebook_sha256: str
    lock_sha256: str
    external: dict[str, Any]
    internal: dict[str, Any]
    inputs: list[Data] = []


def write(digest: str, contents: Contents, build: Build, sbom: BytesBlob) -> BytesBlob:
    """Return the statement that says how the image ``digest`` was made."""
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": build.external,
            "internalParameters": build.internal,
            "resolvedDependencies": _dependencies(contents, build),
        },
        "runDetails": {
            "builder": {
                "id": BUILDER,
                "version": {"jupyter-mlops": contents.generator.rpartition(" ")[2]},
            },
            "byproducts": [
                {
                    "name": "sbom",
                    "mediaType": sbom.media_type,
                    "digest": _digest(sbom.descriptor.digest),
                },
                *(_file(f"capture:{item.name}", item) for item in contents.captures),
            ],
        },
    }
    value = {
        "_type": STATEMENT,
        "subject": [{"name": contents.name, "digest": _digest(digest)}],
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    return BytesBlob(canonical(value), IN_TOTO)


def _dependencies(contents: Contents, build: Build) -> list[dict[str, Any]]:
    """Return what the image was made of.

    Wheels are in the lock and in the SBOM, which are named by their hashes: listed here once more
    they would be most of what a publish sends after a changed line.
    """
    found: list[dict[str, Any]] = [
        {"name": "notebook.ipynb", "digest": {"sha256": build.notebook_sha256}},
        {"name": "pylock.toml", "digest": {"sha256": build.lock_sha256}},
    ]
    if contents.base_digest:
        uri = names.image(contents.base_name, contents.base_digest)
        found.append({"name": "base", "uri": uri, "digest": _digest(contents.base_digest)})
    found += [
        {"uri": names.debian(name, version, contents.system, contents.platform)}
        for name, version in sorted(contents.system_packages.items())
    ]
    return found + [_file(f"{item.kind}:{item.name}", item) for item in build.inputs]


def _file(name: str, item: Data) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": item.sha256}, "annotations": {"size": item.size}}


def _digest(digest: str) -> dict[str, str]:
    algorithm, _, value = digest.partition(":")
    return {algorithm: value}


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement says that a reader holds against the image: digests as ``sha256:<hex>``."""

    subjects: list[str]
    sboms: list[str]


def read(data: bytes) -> Statement:
    """Read a statement; raises ``ValueError`` when it is no provenance of this kind."""
    value = json.loads(data)
    if not isinstance(value, dict) or value.get("_type") != STATEMENT:
        raise ValueError("it is not an in-toto statement")
    if value.get("predicateType") != PREDICATE:
        raise ValueError("it is not a provenance of SLSA, version 1")
    made = [item for item in _byproducts(value) if item.get("name") == "sbom"]
    return Statement(subjects=_digests(value.get("subject")), sboms=_digests(made))


def _byproducts(value: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        items = value["predicate"]["runDetails"]["byproducts"]
    except (KeyError, TypeError):
        return []
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _digests(items: Any) -> list[str]:
    found = []
    for item in items if isinstance(items, list) else []:
        digest = item.get("digest") if isinstance(item, dict) else None
        if isinstance(digest, dict) and isinstance(digest.get("sha256"), str):
            found.append(f"sha256:{digest['sha256']}")
    return found
