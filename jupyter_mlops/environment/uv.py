"""Calls uv, which ships with this package's environment, and reads its complaints.

Addresses with credentials reach uv by its environment only: a command line is seen by others.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlops.environment import indexes
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Log, OnEvent, ignore

USER_INFO = re.compile(r"(?<=://)[^/?#\s\"'<>]*@")
QUERY = re.compile(r"(\b[a-z][a-z+]*://[^\s\"'<>?#]+)\?[^\s\"'<>#]*")
#: Seconds before each further attempt where an index does not answer; uv has its own before.
PAUSES = (1.0, 4.0)
TRANSIENT = re.compile(
    r"error sending request|dns error|[Tt]imed out|connection (?:reset|closed|refused)"
    r"|HTTP status server error|429 Too Many Requests|Could not connect|error decoding response"
    r"|error reading a body|end of file before message length"
)
UNTRUSTED = re.compile(r"invalid peer certificate|certificate verify failed")
#: pip trusts what the system trusts; uv does only when it is told (the second is its older name).
SYSTEM_CERTIFICATES = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}


@dataclass(frozen=True)
class Done:
    """What uv wrote; credentials are removed from what it said."""

    output: str
    said: str


class Failed(Exception):
    """uv ended with an error; the text is what it wrote, without credentials."""

    @property
    def transient(self) -> bool:
        """Return whether the same call may succeed later: the index did not answer."""
        return bool(TRANSIENT.search(str(self))) and not self.untrusted

    @property
    def untrusted(self) -> bool:
        """Return whether the index answered with a certificate that is not trusted."""
        return bool(UNTRUSTED.search(str(self)))


def scrub(text: str) -> str:
    """Remove user names, passwords and queries (they hold tokens) from every URL in a text."""
    clean = USER_INFO.sub("", text)
    clean = QUERY.sub(lambda found: found[1] + (")" if found[0].endswith(")") else ""), clean)
    for secret in indexes.secrets():
        clean = clean.replace(secret, "****")
    return clean


def run(
    *arguments: str, stdin: str | None = None, folder: Path | None = None, **environment: str
) -> str:
    """Run uv and return what it printed on standard output. See ``call``."""
    return call(*arguments, stdin=stdin, folder=folder, **environment).output


def call(
    *arguments: str, stdin: str | None = None, folder: Path | None = None, **environment: str
) -> Done:
    """Run uv, with the package indexes that uv and pip are configured for on this machine.

    ``folder`` is where it runs and where a ``uv.toml`` is looked for from; ``environment`` are
    further variables. Raises ``Failed`` with uv's own words, credentials removed.
    """
    import uv

    configured = indexes.environment(folder)
    configured |= {"UV_NO_PROGRESS": "1", "UV_NO_WRAP": "1", "NO_COLOR": "1", **environment}
    configured.pop("VIRTUAL_ENV", None)
    try:
        done = subprocess.run(
            [uv.find_uv_bin(), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=configured,
            cwd=folder,
        )
    except OSError as error:
        raise LockError(
            "uv cannot be started", why=str(error), remedy="Install it again: pip install uv"
        ) from None
    said = scrub(done.stderr.strip())
    if done.returncode:
        # Warnings come before; one of them may be of a network that was not needed.
        start = re.search(r"^(?:error|  ×)", said, re.MULTILINE)
        raise Failed(said[start.start() :] if start else said)
    return Done(done.stdout, said)


def patiently(
    *arguments: str, folder: Path | None = None, on_event: OnEvent = ignore, **environment: str
) -> Done:
    """Run uv as ``call`` does, again after a pause where an index does not answer.

    What was fetched before is in uv's cache, so each attempt goes on where the last one ended.
    """
    for pause in PAUSES:
        try:
            return call(*arguments, folder=folder, **environment)
        except Failed as error:
            if error.untrusted and not SYSTEM_CERTIFICATES.keys() & {*environment, *os.environ}:
                environment |= SYSTEM_CERTIFICATES
                continue
            if not error.transient:
                raise
            on_event(
                Log(
                    level="warning",
                    text=f"The package index does not answer; trying again in {pause:g} s. "
                    f"uv says: {shortened(str(error), 200)}",
                )
            )
            time.sleep(pause)
    return call(*arguments, folder=folder, **environment)


def shortened(text: str, most: int = 600) -> str:
    """Return uv's words on one line, without its drawing, at most so many characters."""
    lines = [re.sub(r"^(?:error|cause|hint): ", "", line.strip(" ×╰─▶│├")) for line in _lines(text)]
    return " ".join(lines)[:most]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
