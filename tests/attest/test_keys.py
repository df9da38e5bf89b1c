"""Keys: what is read, what is refused, and that no passphrase is ever told."""

from __future__ import annotations

import builtins
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.attest import keys as key_files
from jupyter_mlops.errors import UsageError
from tests.fixtures_keys import PASSPHRASE, Keys, openssl


def test_openssl_and_we_agree(keys: Keys, tmp_path: Path) -> None:
    private, public = key_files.private(keys.private), key_files.public(keys.public)
    assert private.public.fingerprint == public.fingerprint
    der = openssl("pkey", "-pubin", "-in", keys.public, "-outform", "DER")
    assert openssl("dgst", "-sha256", "-r", text=der).split()[0].decode() == public.fingerprint
    (tmp_path / "text").write_bytes(b"something")
    (tmp_path / "sig").write_bytes(private.sign(b"something"))
    command = ("dgst", "-sha256", "-verify", keys.public, "-signature", tmp_path / "sig")
    assert openssl(*command, tmp_path / "text") == b"Verified OK\n"
    openssl("dgst", "-sha256", "-sign", keys.private, "-out", tmp_path / "sig", tmp_path / "text")
    assert public.verifies(b"something", (tmp_path / "sig").read_bytes())
    assert not public.verifies(b"another thing", (tmp_path / "sig").read_bytes())
    assert not public.verifies(b"something", b"no signature")


def test_a_signature_holds_no_chance(keys: Keys) -> None:
    private = key_files.private(keys.private)
    assert private.sign(b"x") == private.sign(b"x") != private.sign(b"y")


@pytest.mark.parametrize("variable", ["MLOPS_KEY_PASSWORD", "COSIGN_PASSWORD"])
def test_an_encrypted_key_opens_with_its_passphrase(
    variable: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"no passphrase is given.*MLOPS_KEY_PASSWORD"):
        key_files.private(keys.locked)
    monkeypatch.setenv(variable, "wrong-passphrase")
    with pytest.raises(UsageError, match="does not open the key") as caught:
        key_files.private(keys.locked)
    assert "wrong-passphrase" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    monkeypatch.setenv(variable, PASSPHRASE)
    opened = key_files.private(keys.locked)
    assert opened.public.fingerprint == key_files.public(keys.public).fingerprint
    assert key_files.private(keys.private).public.fingerprint == opened.public.fingerprint


def test_what_is_no_such_key_is_refused(keys: Keys, tmp_path: Path) -> None:
    def file(name: str, text: bytes) -> Path:
        (tmp_path / name).write_bytes(text)
        return tmp_path / name

    rsa = file(
        "rsa.pem", openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    )
    p384 = file("p384.pem", openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout"))
    cosign = file("c.key", b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nxyz\n-----END")
    empty = file("empty", b"")
    garbage = file(
        "garbage.pem", b"-----BEGIN PRIVATE KEY-----\nsecret0\n-----END PRIVATE KEY-----\n"
    )
    for path, words in [
        (rsa, "P-256"), (p384, "P-256"), (cosign, "cosign's own format"),
        (keys.public, "public key"), (empty, "cannot be read"), (garbage, "cannot be read"),
        (tmp_path / "nothing", "No such file"), (tmp_path, "Is a directory"),
    ]:  # fmt: skip
        with pytest.raises(UsageError, match=words) as caught:
            key_files.private(path)
        assert "secret0" not in str(caught.value)
    rsa_public = file("rsa.pub", openssl("pkey", "-in", rsa, "-pubout"))
    for path, words in [
        (keys.private, "private key"), (keys.locked, "private key"), (rsa_public, "P-256"),
        (empty, "cannot be read"), (tmp_path / "nothing", "No such file"),
    ]:  # fmt: skip
        with pytest.raises(UsageError, match=words):
            key_files.public(path)


def test_without_the_library_the_extra_is_named(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def absent(name: str, *arguments: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", absent)
    for read in (key_files.private, key_files.public):
        with pytest.raises(UsageError, match=r"jupyter_mlops\[signing\]"):
            read(keys.private)


def test_the_documented_commands_make_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "users" / "index.md").read_text()
    lines = [line.partition("  #")[0] for line in text.splitlines() if line.startswith("openssl ")]
    assert len(lines) == 2
    monkeypatch.setenv("MLOPS_KEY_PASSWORD", PASSPHRASE)
    making = lines[0].replace("-out key.pem", "-out key.pem -passout env:MLOPS_KEY_PASSWORD")
    reading = lines[1].replace("-in key.pem", "-in key.pem -passin env:MLOPS_KEY_PASSWORD")
    for line in (making, reading):
        subprocess.run(line, shell=True, cwd=tmp_path, check=True, capture_output=True)
    assert b"ENCRYPTED" in (tmp_path / "key.pem").read_bytes()
    made = key_files.private(tmp_path / "key.pem")
    assert made.public.fingerprint == key_files.public(tmp_path / "key.pub").fingerprint
