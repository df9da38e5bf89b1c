"""What an installed package says of its license."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from jupyter_mlops.image.distributions import normalised

# A field of this length is the license's text, not its name.
_LONGEST = 100
_CLASSIFIER = "License :: "


@functools.lru_cache(maxsize=8)
def licenses(site: Path) -> Mapping[str, tuple[str, list[str]]]:
    """Return, by normalised name, the SPDX expression of each package, or the names of licenses.

    A package that says nothing has neither. It is read once: what is made from a lock stays.
    """
    found = {}
    for info in sorted(site.glob("*.dist-info")):
        headers = _headers(info / "METADATA")
        if headers is not None and headers["Name"]:
            found[normalised(str(headers["Name"]))] = _of(headers)
    return found


def _headers(path: Path) -> Message | None:
    """Read what stands before the first empty line: the description behind it is long."""
    lines = []
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.rstrip("\r\n"):  # a line of spaces belongs to the field above it
                    break
                lines.append(line)
    except OSError:
        return None
    return HeaderParser().parsestr("".join(lines))


def _of(headers: Message) -> tuple[str, list[str]]:
    expression = str(headers.get("License-Expression") or "").strip()
    if expression:
        return expression, []
    text = str(headers.get("License") or "").strip()
    if text and "\n" not in text and len(text) <= _LONGEST and text != "UNKNOWN":
        return "", [text]
    every = map(str, headers.get_all("Classifier", []))
    names = {item.rpartition(" :: ")[2] for item in every if item.startswith(_CLASSIFIER)}
    return "", sorted(names - {"OSI Approved"})
