"""Where things are kept, and the few choices an operator makes by environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from jupyter_mlops.errors import UsageError

HOME_VARIABLE = "JUPYTER_MLOPS_HOME"
REGISTRY_VARIABLE = "JUPYTER_MLOPS_REGISTRY"
BASE_VARIABLE = "JUPYTER_MLOPS_BASE"
SHARED_VARIABLE = "JUPYTER_MLOPS_SHARED_LAYERS"
TRUSTED_VARIABLE = "JUPYTER_MLOPS_TRUSTED_KEYS"
AUDIT_VARIABLE = "JUPYTER_MLOPS_AUDIT"
AUDIT_URL_VARIABLE = "JUPYTER_MLOPS_AUDIT_URL"


def home() -> Path:
    """Return the folder of all state: the embedded registry, jobs, services and caches."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "jupyter-mlops"


def default_registry() -> str:
    """Return the registry that a publish without a target goes to.

    An OCI registry prefix such as ``registry.example.org/lab``, or ``oci:DIRECTORY``.
    """
    return os.environ.get(REGISTRY_VARIABLE) or f"oci:{home() / 'registry'}"


def base_image() -> str:
    """Return the base image asked for: ``auto``, a reference, or ``oci:DIRECTORY[:tag]``."""
    return os.environ.get(BASE_VARIABLE) or "auto"


def shares_layers() -> bool:
    """Tell whether layers of packages are shared with others by way of the registry."""
    return os.environ.get(SHARED_VARIABLE, "").lower() not in {"0", "off", "no", "false"}


def trusted_keys() -> list[Path]:
    """Return the files of the public keys whose layers are taken without building them again."""
    named = os.environ.get(TRUSTED_VARIABLE, "").split(os.pathsep)
    return [Path(name).expanduser() for name in named if name]


def audit() -> Literal["tell", "refuse", "none"]:
    """Return what becomes of known vulnerabilities where a publish does not say it.

    Raises ``UsageError`` for a word that means nothing: a gate must not be open by mistake.
    """
    chosen = os.environ.get(AUDIT_VARIABLE) or "tell"
    if chosen not in ("tell", "refuse", "none"):
        raise UsageError(
            f"{AUDIT_VARIABLE} is '{chosen}', which means nothing",
            remedy="Set it to tell, refuse or none",
        )
    return cast(Literal["tell", "refuse", "none"], chosen)


def audit_service() -> str:
    """Return the address of the PyPI that is asked for known vulnerabilities.

    Raises ``UsageError`` for what is no address.
    """
    address = os.environ.get(AUDIT_URL_VARIABLE) or "https://pypi.org"
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise UsageError(
            f"{AUDIT_URL_VARIABLE} is not an address",
            remedy="Write it as https://HOST, or leave it out for https://pypi.org",
        )
    return address


def store() -> Path:
    """Return the content-addressed store of layers and blobs."""
    return home() / "store"


def environments() -> Path:
    """Return the folder of environments made from locks, one per lock hash."""
    return home() / "environments"


def wheels() -> Path:
    """Return the folder of wheels that no index has: built here, or taken from a folder."""
    return home() / "wheels"


def audits() -> Path:
    """Return the folder of what is known of locks' vulnerabilities, one file per lock."""
    return home() / "audits"


def jobs() -> Path:
    """Return the folder of job directories."""
    return home() / "jobs"


def services() -> Path:
    """Return the folder of service records."""
    return home() / "services"


def unpacked() -> Path:
    """Return the folder where publications are unpacked to run without a container."""
    return home() / "unpacked"


def tracking() -> Path:
    """Return the folder of the local tracking database and its journals."""
    return home() / "tracking"
