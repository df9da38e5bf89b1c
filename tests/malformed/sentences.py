"""What makes an error's text a clear sentence."""

from __future__ import annotations

import re

LONGEST = 600
#: What Python says to programmers, not to scientists.
_RAW = re.compile(
    r"Traceback|\b[A-Z][A-Za-z]+(?:Error|Exception)\b|recursion depth|object has no attribute|"
    r"object is not|codec can't|unhashable|unsupported operand|NoneType|missing \d+ required|"
    r"unexpected keyword|<class |<\w+ object at"
)
_PLACE = re.compile(r"\b[Cc]ells? \d+")


def unclear(sentence: str, file: str) -> str:
    """Return why a sentence is not clear, or nothing; ``file`` is the name that it may say."""
    file = "".join(c if c.isprintable() else "\ufffd" for c in file)
    if len(sentence) > LONGEST:
        return f"too long ({len(sentence)})"
    if not sentence.isprintable():
        return "more than one line, or characters that a terminal obeys"
    raw = _RAW.search(sentence.replace(file, ""))
    if raw:
        return f"words of a programmer: {raw[0]}"
    if file not in sentence and not _PLACE.search(sentence):
        return "it does not say where"
    if not sentence.endswith((".", "!", "?")):
        return "it does not end"
    return ""
