"""Which notebook a kernel belongs to, as far as it can know. Ships in images."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any


def notebook_of(namespace: dict[str, Any]) -> Path | None:
    """Return the notebook's file, from what VS Code or Jupyter tell the kernel, if it exists."""
    told = (
        namespace.get("__vsc_ipynb_file__"),
        namespace.get("__session__"),
        os.environ.get("JPY_SESSION_NAME"),
    )
    for text in told:
        if isinstance(text, str) and text.endswith(".ipynb"):
            # The browser may put a drive (RTC:) before the name; the kernel starts in its folder.
            plain = re.sub(r"(^|/)[A-Za-z][\w-]*:(?=[^/\\])", r"\1", text)
            for candidate in (Path(text), Path(plain), Path.cwd() / Path(plain).name):
                if candidate.is_file():
                    return candidate.absolute()
    return None


def experiment_of(namespace: dict[str, Any]) -> str:
    """Return the experiment that a live kernel logs to: the notebook's name."""
    notebook = notebook_of(namespace)
    return notebook.stem if notebook else "notebook"
