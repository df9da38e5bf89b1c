"""The SBOM: what it lists, and that the same contents give the same bytes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops.attest import names, sbom
from jupyter_mlops.attest.licenses import licenses
from jupyter_mlops.attest.models import Contents
from tests.attest.conftest import CONTENTS


def components(contents: Contents) -> dict[str, dict[str, Any]]:
    value = json.loads(sbom.write(contents).data)
    return {item["bom-ref"]: item for item in value["components"]}


def test_everything_of_the_image_is_listed() -> None:
    found = components(CONTENTS)
    numpy = found["pkg:pypi/numpy@2.1.0"]
    assert (numpy["name"], numpy["version"]) == ("numpy", "2.1.0")
    assert numpy["hashes"] == [{"alg": "SHA-256", "content": "1" * 64}]
    assert numpy["licenses"] == [{"expression": "BSD-3-Clause"}]
    torch = found["pkg:pypi/torch@2.5.1%2Bcpu"]
    assert [item["license"]["name"] for item in torch["licenses"]] == ["BSD", "Other"]
    assert "pkg:deb/debian/libgl1@1.6.0-1?arch=amd64&distro=debian-12" in found
    assert "pkg:deb/debian/libstdc%2B%2B6@1%3A12.2.0-14?arch=amd64&distro=debian-12" in found
    assert f"pkg:oci/python@sha256%3A{'b' * 64}" in found
    assert found["capture:model"]["hashes"][0]["content"] == "3" * 64
    assert found["pkg:pypi/jupyter-mlops@1.2.3#shipped"]["version"] == "1.2.3"
    assert len(found) == 7


def test_equal_contents_give_equal_bytes() -> None:
    written = sbom.write(CONTENTS).data
    for seed in range(5):
        chance = random.Random(seed)
        shuffled = msgspec.structs.replace(
            CONTENTS,
            wheels=chance.sample(CONTENTS.wheels, 2),
            system_packages=dict(chance.sample(list(CONTENTS.system_packages.items()), 2)),
        )
        assert sbom.write(shuffled).data == written
    other = msgspec.structs.replace(CONTENTS, wheels=CONTENTS.wheels[:1])
    serials = {json.loads(sbom.write(item).data)["serialNumber"] for item in (CONTENTS, other)}
    assert len(serials) == 2


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("docker.io/library/python:3.11-slim", "python"),
        (f"host:5000/team/py@sha256:{'a' * 64}", "py"),
        ("oci:/home/ada/images:python:3.11", "python-3.11"),
        ("oci:/home/ada/images", "image"),
        ("system-packages:python3.11", "system-packages"),
    ],
)
def test_a_base_is_named_without_host_and_folder(name: str, short: str) -> None:
    assert names.short(name) == short
    contents = msgspec.structs.replace(CONTENTS, base_name=name)
    text = sbom.write(contents).data.decode()
    assert "/home" not in text and "5000" not in text


METADATA = {
    "expression": ("License-Expression: MIT\nLicense: ignored\n", ("MIT", [])),
    "field": ("License: Apache 2.0\n", ("", ["Apache 2.0"])),
    "text": (
        "License: Copyright me\n        \n        All rights.\n"
        "Classifier: License :: OSI Approved\n"
        "Classifier: License :: OSI Approved :: BSD License\n",
        ("", ["BSD License"]),
    ),
    "silent": ("License: UNKNOWN\n", ("", [])),
    "body": ("\nLicense: not a header\n", ("", [])),
}


@pytest.mark.parametrize("case", METADATA)
def test_licenses_are_what_the_wheel_says(case: str, tmp_path: Path) -> None:
    text, expected = METADATA[case]
    info = tmp_path / "Some_Name-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: Some_.Name\n{text}\nLong text\n")
    (tmp_path / "broken-1.dist-info").mkdir()
    assert licenses(tmp_path) == {"some-name": expected}
