"""What is said about one publication: the one that the reference names, not another version."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.catalog import describe
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.contents import LABEL
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image
from jupyter_mlops.runtime.publication import Publication


def image(title: str) -> Image:
    publication = Publication(
        name="iris", title=title, notebook_sha256="", lock_sha256="", python="", platform=""
    )
    labels = {LABEL: msgspec.json.encode(publication).decode()}
    return build_image(Base("b", "", (), {}), [], ImageConfig(labels=labels))


def test_each_reference_is_described_by_its_own_image(tmp_path: Path) -> None:
    layout, (first, second) = Layout(tmp_path, "iris"), (image("first"), image("second"))
    layout.push(first, ["v1", "stable"])
    layout.push(second, ["v2", "latest"])
    for version, title in [
        (":v1", "first"),
        (":stable", "first"),
        (":v2", "second"),
        (":", "second"),
    ]:
        found = describe(f"oci:{tmp_path}:iris{version}")
        assert (found["title"], found["version"]) == (title, 1 if title == "first" else 2)
    assert describe(f"oci:{tmp_path}:iris@{first.digest}")["title"] == "first"
    for missing in (":v3", f"@sha256:{'0' * 64}"):
        with pytest.raises(NotFoundError):
            describe(f"oci:{tmp_path}:iris{missing}")
