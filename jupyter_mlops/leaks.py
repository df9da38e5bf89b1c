"""Nothing leaves with a secret in it, unless a person has said that it is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from jupyter_mlops.analyze import Extracted
from jupyter_mlops.environment import private
from jupyter_mlops.errors import SecretError
from jupyter_mlops.events import Log, OnEvent
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.screening import places
from jupyter_mlops.screening.places import Text
from jupyter_mlops.screening.screen import problem, screen, stopped


def check_notebook(source: Notebook, extracted: Extracted, allowed: Collection[str]) -> None:
    """Look at what the notebook says, before anything runs: cells, prose, defaults, local files.

    ``allowed`` are fingerprints of what is no secret. Raises ``SecretError`` with all of it.
    """
    cells = {cell.number: (cell.source, cell.tree) for cell in source.cells}
    defaults = {each.name: each.default for each in extracted.found.parameters}
    _stop(
        [
            *places.cells(cells),
            *places.prose(source.node),
            *places.values(defaults, "parameter"),
        ],
        allowed,
    )


def check_files(folder: Path, paths: Iterable[Path], allowed: Collection[str]) -> None:
    """Look at files beside the notebook that are going to be shipped. Raises ``SecretError``."""
    _stop(places.files(folder, [path.as_posix() for path in paths]), allowed)


def check_data(
    folder: Path, paths: Iterable[Path], allowed: Collection[str], on_event: OnEvent
) -> None:
    """Look at data that is going to be shipped, large files in parts. Raises ``SecretError``.

    What is not text cannot be looked at: that is told.
    """
    names = [path.as_posix() for path in paths]
    binary = [name for name in names if not places.is_text(folder / name)]
    if binary:
        text = f"not looked through for secrets, for it is no text: {private.named(binary)}"
        on_event(Log(level="warning", text=text))
    _stop((part for name in names for part in places.parts(folder, name)), allowed)


def check_report(executed: Path, allowed: Collection[str]) -> None:
    """Look at what the verified run showed: its report is shipped. Raises ``SecretError``."""
    import nbformat

    _stop(places.outputs(nbformat.read(executed, as_version=4)), allowed)


def _stop(texts: Iterable[Text], allowed: Collection[str]) -> None:
    found = stopped(screen(texts), allowed)
    if found:
        raise SecretError.collect(problem(finding) for finding in found)
