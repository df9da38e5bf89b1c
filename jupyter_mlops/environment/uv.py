"""Calls uv, which ships with this package's environment, and reads its complaints."""

from __future__ import annotations

import os
import re
import subprocess

from jupyter_mlops.errors import LockError

CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")


def scrub(text: str) -> str:
    """Remove user names and passwords from every URL in a text."""
    return CREDENTIALS.sub("", text)


def run(*arguments: str, stdin: str | None = None) -> str:
    """Run uv and return what it printed on standard output.

    Raises ``Failed`` with uv's own words, credentials removed.
    """
    import uv

    environment = {**os.environ, "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
    environment.pop("VIRTUAL_ENV", None)
    try:
        done = subprocess.run(
            [uv.find_uv_bin(), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
        )
    except OSError as error:
        raise LockError(
            "uv cannot be started", why=str(error), remedy="Install it again: pip install uv"
        ) from None
    if done.returncode:
        raise Failed(scrub(done.stderr.strip()))
    return done.stdout


class Failed(Exception):
    """uv ended with an error; the text is what it wrote."""
