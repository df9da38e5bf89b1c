"""The last cell of a verified run: captures the namespace from inside of the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.capture import taps
from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureRequest


def source(request: Path, directory: Path) -> str:
    """Return the code of the cell; it relies on no name of the notebook."""
    module = __name__
    call = f"capture(__import__('IPython').get_ipython().user_ns, {str(request)!r}, "
    return f"__import__({module!r}, fromlist=['capture']).{call}{str(directory)!r})"


def tapping(request: Path) -> str:
    """Return the code that begins to keep what a request asks for, before the first cell."""
    return f"__import__({taps.__name__!r}, fromlist=['begin']).begin({str(request)!r})"


def capture(namespace: dict[str, Any], request: str, directory: str) -> None:
    """Capture what the request asks for; the report is in ``captures.json``."""
    asked = msgspec.json.decode(Path(request).read_bytes(), type=CaptureRequest)
    collect(namespace, asked, Path(directory), taps.end())
