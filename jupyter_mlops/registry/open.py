"""Open the repository that a reference names, be it in a registry or in a directory."""

from __future__ import annotations

from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.repository import Repository
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.reference import Reference


def open_repository(reference: Reference | str) -> Repository:
    """Return the repository of a reference; nothing is asked of it yet.

    Raises UsageError when a text is not a reference.
    """
    if isinstance(reference, str):
        reference = Reference.parse(reference)
    if reference.is_layout:
        return Layout(reference.path, reference.repository)
    return RemoteRepository(reference.registry, reference.repository)
