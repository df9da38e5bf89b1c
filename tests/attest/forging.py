"""What somebody with write access can put in a registry, and what a verification says of it."""

from __future__ import annotations

import json
from typing import Any

from jupyter_mlops.attest import signature
from jupyter_mlops.image.blob import CONFIG, BytesBlob
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import Artifact, fallback_tag
from jupyter_mlops.verify import Verification
from tests.attest.conftest import Placed

ALL = ["signature", "provenance", "SBOM"]


def states(found: Verification) -> dict[str, str]:
    assert [check.subject for check in found.checks] == ALL
    assert found.ok == all(check.state == "verified" for check in found.checks)
    for check in found.checks:
        assert check.text.endswith(".") and check.text[0].isupper()
    return {check.subject: check.state for check in found.checks}


def text(found: Verification, subject: str) -> str:
    return next(check.text for check in found.checks if check.subject == subject)


def signatures(placed: Placed) -> tuple[str, dict[str, Any]]:
    """Return the tag of an image's signatures, and the manifest under it."""
    tag = signature.tag_of(placed.image.digest)
    return tag, placed.repository.manifest(tag)[1]


def put_signatures(placed: Placed, tag: str, items: list[dict[str, Any]], payload: bytes) -> None:
    """Overwrite the signatures under a tag, as somebody with write access can."""
    config = b'{"rootfs":{"type":"layers","diff_ids":[]}}'
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": BytesBlob(config, CONFIG).descriptor.to_dict(),
        "layers": items,
    }
    layer = Layer(BytesBlob(payload, signature.SIMPLE_SIGNING), "", "", "")
    placed.repository.push(Image(json.dumps(manifest).encode(), config, (layer,)), [tag])


def replace_papers(placed: Placed, *artifacts: Artifact) -> None:
    """Attach other papers, after the list of those that were there was made empty."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": BytesBlob(b"{}", CONFIG).descriptor.to_dict(),
        "layers": [],
    }
    image = Image(json.dumps(manifest).encode(), b"{}", ())
    placed.repository.push(image, [fallback_tag(placed.image.digest)])
    placed.repository.attach(artifacts)
