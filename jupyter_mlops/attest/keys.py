"""Keys: ECDSA on the curve P-256, in PEM files as openssl writes them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

#: Environment variables that may hold a private key's passphrase; the first that is set counts.
PASSPHRASES = ("MLOPS_KEY_PASSWORD", "COSIGN_PASSWORD")
_MOST_BYTES = 1 << 16
_MAKE = (
    "Make one: openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -out key.pem"
)


class PublicKey:
    """Checks signatures."""

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        from cryptography.hazmat.primitives import serialization

        self._key = key
        self._der = key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the key as DER (SubjectPublicKeyInfo), in hexadecimal digits."""
        return hashlib.sha256(self._der).hexdigest()

    def verifies(self, data: bytes, signature: bytes) -> bool:
        """Tell whether a signature (ASN.1, over SHA-256) of ``data`` is by this key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            self._key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """Signs. What it holds is never shown."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    def sign(self, data: bytes) -> bytes:
        """Return the ECDSA signature over SHA-256 of ``data``: the same each time (RFC 6979).

        Where the installed library cannot do that, it holds chance.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        except (TypeError, UnsupportedAlgorithm):  # an older library, an older openssl below it
            algorithm = ec.ECDSA(hashes.SHA256())
        return self._key.sign(data, algorithm)


def private(path: Path) -> PrivateKey:
    """Read a private key; its passphrase comes from the environment (``PASSPHRASES``).

    Raises ``UsageError``, which never says what the file or the passphrase holds.
    """
    serialization, ec = _library()
    data = _read(path)
    if b"SIGSTORE PRIVATE KEY" in data or b"COSIGN PRIVATE KEY" in data:
        raise UsageError(
            "This key is in cosign's own format, which is not read here",
            remedy="Sign with the PEM file that it was imported from, or with another key. "
            + _MAKE,
            where=path.name,
        )
    if b"PUBLIC KEY" in data:
        raise UsageError(
            "This is a public key", remedy="Signing takes the private one", where=path.name
        )
    passphrase = next((os.environ[name] for name in PASSPHRASES if os.environ.get(name)), None)
    encrypted = b"ENCRYPTED" in data
    if encrypted and passphrase is None:
        raise UsageError(
            "The key is encrypted, and no passphrase is given",
            remedy=f"Set {PASSPHRASES[0]} in the environment",
            where=path.name,
        )
    try:
        key = serialization.load_pem_private_key(
            data, passphrase.encode() if encrypted and passphrase else None
        )
    except Exception:  # the library raises many kinds, and their texts are not for others
        raise UsageError(
            "The passphrase does not open the key" if encrypted else "The key cannot be read",
            why="" if encrypted else "It is not a private key as PEM",
            remedy=f"Check {PASSPHRASES[0]} and the file" if encrypted else _MAKE,
            where=path.name,
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not _is_p256(key):
        raise _other_kind(path)
    return PrivateKey(key)


def public(path: Path) -> PublicKey:
    """Read a public key; raises ``UsageError``."""
    serialization, ec = _library()
    data = _read(path)
    if b"PRIVATE KEY" in data:
        raise UsageError(
            "This is a private key, which should not be where images are verified",
            remedy=f"Give the public one: openssl pkey -in {path.name} -pubout -out key.pub",
            where=path.name,
        )
    try:
        key = serialization.load_pem_public_key(data)
    except Exception:
        raise UsageError(
            "The key cannot be read",
            why="It is not a public key as PEM",
            remedy="Make it of the private one: openssl pkey -in key.pem -pubout -out key.pub",
            where=path.name,
        ) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not _is_p256(key):
        raise _other_kind(path)
    return PublicKey(key)


def _is_p256(key: Any) -> bool:
    return bool(key.curve.name == "secp256r1")


def _other_kind(path: Path) -> UsageError:
    return UsageError(
        "The key is of a kind that is not used here",
        why="Signatures are ECDSA on the curve P-256 (prime256v1)",
        remedy=_MAKE,
        where=path.name,
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise UsageError(
            "The key cannot be read", why=str(error.strerror), where=str(path)
        ) from error


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise UsageError(
            "Signatures need the package 'cryptography', which is not installed",
            remedy="Install it: pip install 'jupyter_mlops[signing]'",
        ) from None
    return serialization, ec
