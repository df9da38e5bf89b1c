"""A private folder for one run, also where the root file system is read-only."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def parent() -> Path:
    """Return a folder that can be written to: the usual one, else the shared memory.

    Raises ``OSError`` when there is none.
    """
    candidates = [Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")]
    # When none of the usual ones will do, the working directory is no better.
    with suppress(FileNotFoundError):
        candidates.insert(0, Path(tempfile.gettempdir()))
    for candidate in candidates:
        if os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    raise OSError("There is no folder to write temporary files to; mount one at /tmp.")


@contextmanager
def folder(prefix: str = "mlops-") -> Iterator[Path]:
    """Make a folder that only this user can read, and remove it afterwards."""
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent()))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def kernel_environment(made: Path) -> dict[str, str]:
    """Return the variables that keep a kernel's own files inside of a folder.

    Where the home cannot be written to, it moves too.
    """
    variables = {
        "IPYTHONDIR": str(made / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(made / "runtime"),
        "JUPYTER_CONFIG_DIR": str(made / "config"),
        "JUPYTER_PLATFORM_DIRS": "1",
        # What the notebook leaves behind goes with the run, and there may be no other place.
        "TMPDIR": str(made),
    }
    home = os.environ.get("HOME", "")
    if not home or not os.access(home, os.W_OK | os.X_OK):
        variables["HOME"] = str(made)
        variables.setdefault("MPLCONFIGDIR", str(made / "matplotlib"))
    return variables
