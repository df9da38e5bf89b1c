"""deptry: its whole command but for the start, against a project that declares nothing.

It names modules. Where one distribution of its environment holds a module, that one's name is
taken, as a person would read it; the name is looked up when the time is taken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import packages_distributions
from pathlib import Path

from deptry.cli import cli
from serve import serve_inference

#: A module of no dependency that is declared: not installed, or installed.
UNDECLARED = {"DEP001", "DEP003"}
NAMES = packages_distributions()


def infer(folder: str, output: str, index: str) -> Callable[[], None]:
    project = Path(output).with_suffix(".toml")
    report = Path(output).with_suffix(".json")
    project.write_text('[project]\nname = "empty"\nversion = "0"\ndependencies = []\n')
    os.chdir(folder)  # it looks for local modules and leaves out folders from where it stands
    with suppress(SystemExit):  # its status, when there is something to report
        cli.main([".", "--config", str(project), "-o", str(report)], standalone_mode=False)

    def finish() -> None:
        found = json.loads(report.read_text())
        modules = {each["module"] for each in found if each["error"]["code"] in UNDECLARED}
        names = {_distribution(module) for module in modules}
        Path(output).write_text("".join(f"{name}\n" for name in sorted(names)))

    return finish


def _distribution(module: str) -> str:
    holders = set(NAMES.get(module, []))
    return holders.pop() if len(holders) == 1 else module


serve_inference(infer)
