"""Package URLs: one name for a thing, whoever lists it (package-url specification)."""

from __future__ import annotations

from urllib.parse import quote


def wheel(name: str, version: str) -> str:
    """Return the package URL of a Python package (``name`` is normalised)."""
    return f"pkg:pypi/{quote(name, safe='')}@{quote(version, safe='')}"


def debian(name: str, version: str, system: str, platform: str) -> str:
    """Return the package URL of a Debian package; ``system`` is "debian-12" and the like."""
    vendor = system.partition("-")[0] or "debian"
    arch = platform.split("/")[1] if "/" in platform else ""
    qualifiers = "&".join(
        f"{key}={quote(value, safe='')}"
        for key, value in (("arch", arch), ("distro", system))
        if value
    )
    url = f"pkg:deb/{vendor}/{quote(name, safe='')}@{quote(version, safe='')}"
    return f"{url}?{qualifiers}" if qualifiers else url


def image(name: str, digest: str) -> str:
    """Return the package URL of an image by its digest; of ``host/a/b:tag`` only ``b`` is named."""
    return f"pkg:oci/{quote(short(name), safe='')}@{quote(digest, safe='')}"


def short(name: str) -> str:
    """Return the last part of an image's name, without tag, digest, host or folder."""
    text = name.partition("@")[0].rstrip("/").rpartition("/")[2]
    if name.startswith("oci:"):  # a folder of this machine: what is behind it is the name
        return text.partition(":")[2].replace(":", "-") or "image"
    return text.partition(":")[0].lower() or "image"
