"""One row of the table: a notebook, what lies beside it, and what it must be found to need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.notebooks import KERNEL, make


@dataclass(frozen=True)
class Case:
    """A notebook named after what it covers.

    ``needs`` are the distributions that must be found, no more and no fewer, each with its
    version ("" where the kernel does not have it); ``asks`` the modules that a person is asked
    about. ``stops``, ``warns`` and ``why`` are texts that must stand in a problem, a warning,
    or a reason; where there are none, there must be no problem and no warning.
    """

    name: str
    cells: Sequence[str]
    needs: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    local: Sequence[str] = ()
    stops: Sequence[str] = ()
    warns: Sequence[str] = ()
    why: Sequence[str] = ()
    specifiers: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the notebook and what lies beside it below a folder; return the notebook."""
        beside = folder / "beside"
        beside.mkdir(parents=True)
        for name, text in self.files.items():
            path = beside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, errors="surrogateescape")
        return make(beside / "n.ipynb", self.cells, metadata={**KERNEL, **self.metadata})


NUMPY = {"numpy": "2.1.0"}
PANDAS = {"pandas": "2.2.3"}
PYARROW = {"pyarrow": "17.0.0"}
MATPLOTLIB = {"matplotlib": "3.9.2"}
YAML = {"PyYAML": "6.0.2"}
SCIPY = {"scipy": "1.14.0"}
SKLEARN = {"scikit-learn": "1.5.2"}
