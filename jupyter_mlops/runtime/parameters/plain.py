"""Values as JSON has them, and what JSON cannot hold."""

from __future__ import annotations

import datetime
import math
import re
from enum import Enum
from pathlib import PurePath
from typing import Any

DATE_PATTERN = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
TIME_PATTERN = (
    r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?"
)
DATETIME_PATTERN = f"{DATE_PATTERN}([T ]{TIME_PATTERN})?"
KEY_PATTERN = "-?(0|[1-9][0-9]*)"
LARGEST = 2**63


def plain(value: Any) -> Any:
    """Return a value as JSON has it; what is no value of JSON stays as it is.

    Tuples and sets become lists, dates ISO texts, paths texts, members of an ``Enum`` their
    names, numpy's numbers and arrays plain ones. Raises ``RecursionError`` for a value that
    contains itself.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime.date):  # a datetime is one, too
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items, key=lambda item: (type(item).__name__, repr(item)))
    if isinstance(value, dict):
        return {_key(key): plain(item) for key, item in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, int) and not isinstance(key, bool) else key


def unfit(value: Any) -> str:
    """Return why a plain value cannot travel as JSON, or an empty string."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if -LARGEST <= value < LARGEST else "the number does not fit in 64 bits"
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{value} is not a finite number"
    if isinstance(value, str):
        return "" if _is_text(value) else "the text holds half of a surrogate pair"
    if isinstance(value, list):
        return next((why for item in value if (why := unfit(item))), "")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return f"the key {key!r} is not a text"
            why = unfit(key) or unfit(item)
            if why:
                return why
        return ""
    return f"a {type(value).__name__} cannot be written as JSON"


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def iso_date(text: str) -> str | None:
    """Return the date of a text such as ``2024-01-31``, or None."""
    if not re.fullmatch(DATE_PATTERN, text):
        return None
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def iso_datetime(text: str) -> str | None:
    """Return the moment of an ISO text in Python's own writing, or None.

    Zone and seconds may be left out, and the time as a whole, which is midnight then.
    """
    if not re.fullmatch(DATETIME_PATTERN, text):
        return None
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).isoformat()
    except ValueError:
        return None
