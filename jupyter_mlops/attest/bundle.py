"""Signatures of images as cosign keeps them from version 3 on: Sigstore bundles as referrers."""

from __future__ import annotations

import base64
import json

from jupyter_mlops.attest import dsse
from jupyter_mlops.attest.dsse import Opened
from jupyter_mlops.attest.keys import PrivateKey, PublicKey
from jupyter_mlops.attest.models import BUNDLE, IN_TOTO
from jupyter_mlops.attest.provenance import STATEMENT
from jupyter_mlops.image.blob import BytesBlob, Descriptor
from jupyter_mlops.image.manifest import canonical
from jupyter_mlops.image.referrers import Artifact

PREDICATE = "https://sigstore.dev/cosign/sign/v1"


def artifact(subject: Descriptor, key: PrivateKey) -> Artifact:
    """Return the signature of an image as a bundle: a sealed statement that names its digest."""
    statement = {
        "_type": STATEMENT,
        "subject": [{"digest": {"sha256": subject.digest.partition(":")[2]}}],
        "predicateType": PREDICATE,
        "predicate": {},
    }
    envelope = dsse.seal(BytesBlob(canonical(statement), IN_TOTO), key)
    value = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": _hint(key.public)}, "tlogEntries": []},
        "dsseEnvelope": json.loads(envelope.data),
    }
    about = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": PREDICATE,
    }
    return Artifact(subject, BUNDLE, BytesBlob(canonical(value), BUNDLE), about)


def read(data: bytes) -> tuple[Opened, str] | None:
    """Return the envelope of a bundle that signs an image, and the digest that it is about.

    None where it is about something else. Raises ``ValueError`` when it cannot be read.
    """
    value = json.loads(data)
    envelope = value.get("dsseEnvelope") if isinstance(value, dict) else None
    if not isinstance(envelope, dict):
        return None
    opened = dsse.parse(envelope)
    statement = json.loads(opened.payload)
    if not isinstance(statement, dict) or statement.get("predicateType") != PREDICATE:
        return None
    try:
        return opened, f"sha256:{statement['subject'][0]['digest']['sha256']}"
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError("it names no image") from error


def claims(data: bytes, key: PublicKey) -> bool:
    """Tell whether a bundle says that it is by a key; that proves nothing."""
    material = json.loads(data).get("verificationMaterial")
    named = material.get("publicKey") if isinstance(material, dict) else None
    return isinstance(named, dict) and named.get("hint") == _hint(key)


def _hint(key: PublicKey) -> str:
    return base64.b64encode(bytes.fromhex(key.fingerprint)).decode()
