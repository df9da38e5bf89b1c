"""Envelopes: a payload with signatures over it and its type (DSSE 1.0)."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec

from jupyter_mlops.attest.keys import PrivateKey, PublicKey
from jupyter_mlops.attest.models import ENVELOPE
from jupyter_mlops.image.blob import BytesBlob
from jupyter_mlops.image.manifest import canonical


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What an envelope holds, and the keys that its signatures name (fingerprints)."""

    payload: bytes
    payload_type: str
    signatures: list[bytes]
    keys: list[str]

    def is_signed_by(self, key: PublicKey) -> bool:
        """Tell whether a signature in it is by the key, over exactly this payload."""
        text = _encoded(self.payload_type, self.payload)
        return any(key.verifies(text, signature) for signature in self.signatures)


def seal(payload: BytesBlob, key: PrivateKey) -> BytesBlob:
    """Return an envelope with a payload and a signature over it."""
    return BytesBlob(canonical(envelope(payload, key)), ENVELOPE)


def envelope(payload: BytesBlob, key: PrivateKey | None) -> dict[str, Any]:
    """Return an envelope as a JSON value; without a key it has no signature yet."""
    return {
        "payloadType": payload.media_type,
        "payload": base64.b64encode(payload.data).decode(),
        "signatures": [_signature(payload, key)] if key else [],
    }


def _signature(payload: BytesBlob, key: PrivateKey) -> dict[str, str]:
    signature = key.sign(_encoded(payload.media_type, payload.data))
    return {"keyid": key.public.fingerprint, "sig": base64.b64encode(signature).decode()}


def open_(data: bytes) -> Opened:
    """Read an envelope; raises ``ValueError`` when it is none. Nothing is verified yet."""
    try:
        return parse(json.loads(data))
    except RecursionError as error:
        raise ValueError("it is not an envelope") from error


def parse(value: Any) -> Opened:
    """Read an envelope's JSON value; raises ``ValueError`` when it is none."""
    try:
        items = [item for item in value["signatures"] if item.get("sig")]
        return Opened(
            payload=_decoded(value["payload"]),
            payload_type=str(value["payloadType"]),
            signatures=[_decoded(item["sig"]) for item in items],
            keys=[str(item.get("keyid") or "") for item in items],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is not an envelope") from error


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _encoded(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
