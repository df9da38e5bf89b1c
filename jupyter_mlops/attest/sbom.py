"""The SBOM of an image: CycloneDX 1.6 as JSON. The same contents give the same bytes.

It names what is in the image but not the image's digest, so that images that differ in their code
only share one: the provenance of each names both.
"""

from __future__ import annotations

import uuid
from typing import Any

from jupyter_mlops.attest import names
from jupyter_mlops.attest.models import CYCLONEDX, Contents, Data, Wheel
from jupyter_mlops.image.blob import BytesBlob
from jupyter_mlops.image.manifest import canonical

_IMAGE = "image"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://jupyter-mlops.readthedocs.io/sbom/v1")
_TOOL = "jupyter-mlops"


def write(contents: Contents) -> BytesBlob:
    """Return the SBOM of an image: no clock, no chance, no place is in it."""
    components = [_tool(contents), *_base(contents)]
    components += [_wheel(item) for item in contents.wheels]
    components += [
        _debian(name, version, contents) for name, version in contents.system_packages.items()
    ]
    components += [_data(item) for item in contents.captures]
    components.sort(key=lambda item: str(item["bom-ref"]))
    value: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": contents.created,
            "tools": {"components": [_named_tool(contents)]},
            "component": {"type": "container", "bom-ref": _IMAGE, "name": contents.name},
        },
        "components": components,
        "dependencies": [
            {"ref": _IMAGE, "dependsOn": [str(item["bom-ref"]) for item in components]}
        ],
    }
    serial = uuid.uuid5(_NAMESPACE, canonical(value).decode())
    return BytesBlob(canonical({**value, "serialNumber": f"urn:uuid:{serial}"}), CYCLONEDX)


def _named_tool(contents: Contents) -> dict[str, Any]:
    version = contents.generator.rpartition(" ")[2]
    return {"type": "application", "name": _TOOL, "version": version}


def _tool(contents: Contents) -> dict[str, Any]:
    """Our own code, which the image ships to run and to answer."""
    version = contents.generator.rpartition(" ")[2]
    purl = names.wheel(_TOOL, version)
    return {**_named_tool(contents), "bom-ref": f"{purl}#shipped", "purl": purl}


def _base(contents: Contents) -> list[dict[str, Any]]:
    if not contents.base_digest:
        return []
    purl = names.image(contents.base_name, contents.base_digest)
    return [
        {
            "type": "container",
            "bom-ref": purl,
            "name": names.short(contents.base_name),
            "version": contents.base_digest,
            "purl": purl,
            "hashes": _hashes([contents.base_digest.partition(":")[2]]),
        }
    ]


def _wheel(wheel: Wheel) -> dict[str, Any]:
    purl = names.wheel(wheel.name, wheel.version)
    value: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": wheel.name,
        "version": wheel.version,
        "purl": purl,
        "hashes": _hashes(wheel.sha256),
    }
    if wheel.expression:
        value["licenses"] = [{"expression": wheel.expression}]
    elif wheel.licenses:
        value["licenses"] = [{"license": {"name": name}} for name in wheel.licenses]
    return value


def _debian(name: str, version: str, contents: Contents) -> dict[str, Any]:
    purl = names.debian(name, version, contents.system, contents.platform)
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _data(item: Data) -> dict[str, Any]:
    return {
        "type": "machine-learning-model" if item.kind == "model" else "data",
        "bom-ref": f"capture:{item.name}",
        "name": item.name,
        "hashes": _hashes([item.sha256]),
        "properties": [{"name": "io.jupyter-mlops:size", "value": str(item.size)}],
    }


def _hashes(values: list[str]) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": value} for value in sorted(set(values)) if value]
