"""Every test leaves the process as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runtime.handover.program import kept_state


@pytest.fixture(autouse=True)
def leave_as_it_was() -> Iterator[None]:
    with kept_state():
        yield
