"""The short forms of the load test; ``make soak`` runs the long ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Service, serving
from .malformed import attack
from .soak import LIMITS, overload, slow_root


@pytest.mark.slow
@pytest.mark.parametrize("kill", [False, True])
def test_twice_the_sustainable_rate(tmp_path: Path, kill: bool) -> None:
    # Two workers, 20 ms for each row by itself: a hundred a second, however busy the machine is.
    root = slow_root(tmp_path, 0.02)
    with serving(root, tmp_path, **LIMITS, MLOPS_BATCH_ROWS="1") as service:
        found, held = overload(service, 200, 5, kill)
        assert found.statuses["200"] > 0 and found.statuses["503"] > 0
        found.statuses.pop("not sent", 0)
        lost = found.statuses.pop("lost", 0)
        assert set(found.statuses) == {"200", "503"}
        # A killed worker takes with it what it had: one call, and what waited for it.
        assert lost <= (200 if kill else 0)
        assert max(held) < 1.5 * held[0]
        assert service.client.get("/health/live").is_success
        assert "Traceback" not in service.log.read_text()


@pytest.mark.slow
def test_malformed_requests_get_4xx(forest_service: Service) -> None:
    port = int(forest_service.url.rpartition(":")[2])
    before = len(forest_service.log.read_text())  # other tests share the service
    found, wrong = attack(port, 4000, seed=1)
    assert not wrong
    assert sum(found.values()) == 4000
    body = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
    assert forest_service.client.post("/invocations", json=body).json() == {"predictions": [0]}
    assert "Traceback" not in forest_service.log.read_text()[before:]
