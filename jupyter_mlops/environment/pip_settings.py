"""What pip is configured for: its files and its variables, read without pip."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

VARIABLE = "PIP_"
SECTIONS = ("global", "install")


def read(given: Mapping[str, str], prefix: str = sys.prefix) -> dict[str, str]:
    """Return pip's settings for an install, such as ``index-url``, as pip itself would see them.

    ``given`` are environment variables, ``prefix`` the environment whose own ``pip.conf`` counts.
    A value of several lines is several values.
    """
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for path in _files(given, prefix):
        for section, values in _sections(path):
            found[section] |= values
    variables = {
        name.removeprefix(VARIABLE).lower().replace("_", "-"): value
        for name, value in given.items()
        if name.startswith(VARIABLE) and value
    }
    return {**found["global"], **found["install"], **variables}


def _files(given: Mapping[str, str], prefix: str) -> Iterator[Path]:
    """Yield pip's files, what counts more after what counts less."""
    chosen = given.get("PIP_CONFIG_FILE", "")
    if chosen == os.devnull:
        return
    home = Path(given.get("HOME") or "~").expanduser()
    for folder in (given.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        yield Path(folder) / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(given.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(prefix) / "pip.conf"
    if chosen:
        yield Path(chosen).expanduser()


def _sections(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return  # absent, or broken: pip itself says so
    for section in SECTIONS:
        if parser.has_section(section):
            yield section, {key.replace("_", "-"): value for key, value in parser.items(section)}
