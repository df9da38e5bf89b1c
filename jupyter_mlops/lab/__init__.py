"""The Jupyter Server extension: a thin skin over the spine and the jobs."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from jupyter_mlops.lab.app import MlopsExtension

    return [{"module": "jupyter_mlops.lab", "app": MlopsExtension}]
