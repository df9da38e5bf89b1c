"""Small notebooks, by theme; every construct that an extractor must understand is in one."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from ..case import Case

THEMES = (
    "bindings", "statements", "scopes", "functions", "decorators", "classes", "aliases",
    "inplace", "frames", "iterators", "randomness", "options", "files", "more_files", "magics",
    "dynamic", "stars", "plots", "displays", "resources", "science", "hidden", "traps",
    "library_values", "everyday",
)  # fmt: skip


def _all() -> list[Case]:
    found: list[Case] = []
    for theme in THEMES:
        module = import_module(f"{__name__}.{theme}")
        found += [replace(case, theme=theme) for case in module.CASES]
    names = [case.name for case in found]
    assert len(names) == len(set(names)), "two cases have one name"
    return found


CASES = _all()
BY_NAME = {case.name: case for case in CASES}
