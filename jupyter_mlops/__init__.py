"""From the notebook to production: publish a notebook as a pipeline, an image and a service.

This module is light on purpose: it ships inside every published image, where only
``runtime``, ``capture`` and ``kernel`` stand beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlops.publish import publish as publish

__all__ = ["load_ipython_extension", "publish"]


def __getattr__(name: str) -> Any:
    if name == "publish":
        from jupyter_mlops.publish import publish

        return publish
    if name == "__version__":
        from importlib.metadata import version

        return version("jupyter_mlops")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Register the magics: ``%load_ext jupyter_mlops``."""
    from jupyter_mlops.kernel.magics import register

    register(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-mlops"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from jupyter_mlops.lab import _jupyter_server_extension_points as points

    return points()
