"""Where packages for a base's release come from: this system's sources, or Debian's for it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image.installed import Installed

_MIRROR = "http://deb.debian.org/debian"
_OS_RELEASE = Path("/etc/os-release")
#: Keys of Debian's archive; Debian and Ubuntu have a package of this name.
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def sources_for(base: Installed, name: str) -> str:
    """Return the ``sources.list`` that fits a base; empty where this system's own sources do.

    ``name`` is the base's, for the error. Raises ImageError where its packages cannot be had.
    """
    if not base.is_debian:
        raise ImageError(
            f"System packages cannot be added to {name}",
            why=f"It is made of {base.system or 'an unknown system'}, and only packages of "
            "Debian and Ubuntu are known here",
            remedy="Choose a base of Debian (one of the python:X.Y-slim images), or one "
            "that has them already",
        )
    ours = _os_release()
    if (ours.get("ID"), ours.get("VERSION_CODENAME")) == (base.system, base.codename):
        return ""
    if base.system != "debian" or not base.codename:
        raise ImageError(
            f"System packages cannot be added to {name}",
            why=f"It is {base.system} {base.codename}, and this system is "
            f"{ours.get('PRETTY_NAME', 'another one')}, whose packages do not fit",
            remedy="Choose a base that has them, or publish from a system of that release",
        )
    if not KEYRING.is_file():
        raise ImageError(
            f"System packages cannot be added to {name}",
            why=f"It is Debian {base.codename}, and the keys of Debian's archive are not here",
            remedy="Install the package debian-archive-keyring, or choose a base that has them",
        )
    mirror, security = _mirrors()
    signed = f"[signed-by={KEYRING}]"
    return (
        f"deb {signed} {mirror} {base.codename} main\n"
        f"deb {signed} {security} {base.codename}-security main\n"
    )


def _os_release() -> dict[str, str]:
    try:
        lines = _OS_RELEASE.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name: value.strip("\"'") for name, _, value in pairs if value}


def _mirrors() -> tuple[str, str]:
    """Return the mirrors of Debian and of its security updates that this system uses."""
    command = [
        "apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        lines = done.stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        lines = []
    found: dict[str, str] = {}
    for line in lines:
        label, _, address = line.rpartition(" ")
        found.setdefault(label, address)
    debian = found.get("Debian", f"{_MIRROR}/")
    security = found.get("Debian-Security")
    return debian, security or re.sub(r"/debian/?$", "/debian-security/", debian)
