"""Signatures of images: as cosign up to version 2 keeps them, under a tag beside the image.

What newer ones attach (see ``bundle``) counts as well when an image is checked.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from jupyter_mlops.attest import attached, bundle
from jupyter_mlops.attest.keys import PrivateKey, PublicKey
from jupyter_mlops.attest.models import BUNDLE, IN_TOTO, Check
from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image.blob import CONFIG, MANIFEST, BytesBlob, Descriptor, RemoteBlob, digest_of
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.manifest import Image, canonical
from jupyter_mlops.image.referrers import fallback_tag
from jupyter_mlops.image.repository import Repository, read_blob

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
#: Fingerprint of the key: who verifies with another one is told so. It proves nothing.
KEY = "io.jupyter-mlops.key"
_CHANGED = "The signature was changed after it was made."
_OTHER = "The signature is by another key."
_TYPE = "cosign container image signature"
_ATTEMPTS = 5


def tag_of(digest: str) -> str:
    """Return the tag of the signatures of an image."""
    return f"{fallback_tag(digest)}.sig"


def payload_of(digest: str, name: str) -> bytes:
    """Return what is signed: that an image with this digest goes by this name."""
    return canonical(
        {
            "critical": {
                "identity": {"docker-reference": name},
                "image": {"docker-manifest-digest": digest},
                "type": _TYPE,
            },
            "optional": None,
        }
    )


def attach(repository: Repository, digest: str, name: str, key: PrivateKey) -> int:
    """Sign an image and keep the signature beside it, with those of others; return bytes sent.

    The list is read again after it was written, until it holds the signature.
    """
    payload = payload_of(digest, name)
    ours = {
        **BytesBlob(payload, SIMPLE_SIGNING).descriptor.to_dict(),
        "annotations": {
            SIGNATURE: base64.b64encode(key.sign(payload)).decode(),
            KEY: key.public.fingerprint,
        },
    }
    sent = 0
    for _ in range(_ATTEMPTS):
        listed = _listed(repository, digest)
        if ours in listed or any(_is_by(item, key.public, repository, digest) for item in listed):
            return sent
        pushed = repository.push(_image(repository, [*listed, ours], payload), [tag_of(digest)])
        sent += pushed.pushed_bytes
    raise RegistryError(
        f"The signature of {digest} does not stay where it was put",
        why="Others change it all the time",
        remedy="Sign again",
        where=f"{repository.name}:{tag_of(digest)}",
    )


def _listed(repository: Repository, digest: str) -> list[dict[str, Any]]:
    try:
        _, manifest = repository.manifest(tag_of(digest))
    except NotFoundError:
        return []
    return [item for item in manifest.get("layers") or [] if isinstance(item, dict)]


def _is_by(item: dict[str, Any], key: PublicKey, repository: Repository, digest: str) -> bool:
    payload = _payload(repository, item)
    return key.verifies(payload, _signature(item)) and _signed(payload) == digest


def _image(repository: Repository, items: list[dict[str, Any]], payload: bytes) -> Image:
    """Return signatures as the image that registries take them for."""
    known = digest_of(payload)
    layers = []
    for item in items:
        found = Descriptor.from_dict(item)
        blob = (
            BytesBlob(payload, SIMPLE_SIGNING)
            if found.digest == known
            else RemoteBlob(found, repository)
        )
        layers.append(Layer(blob, found.digest, "", ""))
    config = canonical(
        {
            "architecture": "",
            "os": "",
            "config": {},
            "created": "0001-01-01T00:00:00Z",
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
    )
    manifest = canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": BytesBlob(config, CONFIG).descriptor.to_dict(),
            "layers": items,
        }
    )
    return Image(manifest, config, tuple(layers))


def check(repository: Repository, digest: str, key: PublicKey) -> Check:
    """Say whether an image is signed by a key."""
    try:
        found = [*_found(repository, digest, key), *_bundles(repository, digest, key)]
    except RegistryError as error:
        return _check("wrong", f"The signature cannot be read: {error}")
    if not found:
        return _check("absent", f"No signature is attached to {digest}.")
    # One that says it is by this key, and is not, is a reason to stop; those of others are not.
    order = [check for check in found if check.text == _CHANGED]
    order += sorted(found, key=lambda check: check.state != "verified")
    return order[0]


def _found(repository: Repository, digest: str, key: PublicKey) -> list[Check]:
    checks = []
    for item in _listed(repository, digest):
        if item.get("mediaType") != SIMPLE_SIGNING:
            continue
        payload = _payload(repository, item)
        if key.verifies(payload, _signature(item)):
            checks.append(_about(_signed(payload), digest))
        else:
            checks.append(_check("wrong", _no_match(item, key)))
    return checks


def _no_match(item: dict[str, Any], key: PublicKey) -> str:
    said = str((item.get("annotations") or {}).get(KEY) or "")
    if not said:
        return "The signature is by another key, or was changed."
    return _CHANGED if said == key.fingerprint else _OTHER


def _bundles(repository: Repository, digest: str, key: PublicKey) -> list[Check]:
    checks = []
    for paper in attached.read(repository, digest, BUNDLE):
        if paper.problem:
            checks.append(_check("wrong", f"The signature does not count: {paper.problem}"))
            continue
        try:
            signed = bundle.read(paper.data)
            if signed is None:
                continue  # a statement about something else
            envelope, about = signed
            if envelope.payload_type == IN_TOTO and envelope.is_signed_by(key):
                checks.append(_about(about, digest))
            else:
                text = _CHANGED if bundle.claims(paper.data, key) else _OTHER
                checks.append(_check("wrong", text))
        except (ValueError, RecursionError) as error:
            checks.append(_check("wrong", f"The signature cannot be read: {error}."))
    return checks


def _about(signed: str, digest: str) -> Check:
    """Say whether what the key signed is this image."""
    if signed == digest:
        return _check("verified", f"The signature of {digest} is by this key.")
    return _check(
        "wrong",
        f"The signature is by this key but for another image: {signed or 'unknown'}, not {digest}.",
    )


def _signed(payload: bytes) -> str:
    """Return the digest that a payload names; "" where it is not of this kind."""
    try:
        critical = json.loads(payload)["critical"]
        if critical["type"] != _TYPE:
            return ""
        return str(critical["image"]["docker-manifest-digest"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _payload(repository: Repository, item: dict[str, Any]) -> bytes:
    return read_blob(repository, Descriptor.from_dict(item).digest)


def _signature(item: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(str((item.get("annotations") or {}).get(SIGNATURE)), validate=True)
    except ValueError:
        return b""


def _check(state: Any, text: str) -> Check:
    return Check(subject="signature", state=state, text=text)
