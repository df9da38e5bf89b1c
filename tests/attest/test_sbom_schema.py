"""The SBOM keeps to the schema that CycloneDX publishes."""

from __future__ import annotations

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from jupyter_mlops.attest import sbom
from jupyter_mlops.attest.models import Contents
from tests.attest.conftest import CONTENTS


@pytest.mark.parametrize(
    "contents",
    [
        CONTENTS,
        Contents(name="x", generator="g", created="2024-02-29T12:00:00Z", platform="linux/arm64"),
        msgspec.structs.replace(CONTENTS, system="ubuntu-24.04", base_digest=""),
    ],
    ids=["full", "bare", "ubuntu"],
)
def test_it_keeps_to_the_schema_of_cyclonedx(contents: Contents) -> None:
    text = sbom.write(contents).data.decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    broken = text.replace('"container"', '"barrel"')
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken) is not None
