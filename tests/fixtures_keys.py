"""Key pairs as a person makes them, by openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSPHRASE = "correct-horse-battery"


@dataclass(frozen=True)
class Keys:
    """Files of two key pairs; ``locked`` is the first private key, encrypted."""

    private: Path
    public: Path
    locked: Path
    other: Path
    other_public: Path


def openssl(*arguments: str | Path, text: bytes = b"") -> bytes:
    """Run openssl and return what it says."""
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, check=True).stdout


def make_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a key pair; return the files of the private and the public key."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    made = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    openssl("pkcs8", "-topk8", "-nocrypt", "-out", private, text=made)
    openssl("pkey", "-in", private, "-pubout", "-out", public)
    return private, public


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Key pairs as a person makes them."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("a", "b"):
        make_pair(folder, name)
    openssl(
        *("pkcs8", "-topk8", "-in", folder / "a.pem", "-out", folder / "locked.pem"),
        *("-passout", f"pass:{PASSPHRASE}"),
    )
    return Keys(*(folder / name for name in ("a.pem", "a.pub", "locked.pem", "b.pem", "b.pub")))
