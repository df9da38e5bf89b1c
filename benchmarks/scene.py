"""What the benchmark of environments is about: notebooks, what each needs, and a real kernel.

The notebooks are the table of ``tests/environment/inference``, but for those whose answer is no
set of distributions: a question to a person, a refusal, a distribution that no index has.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jupyter_mlops.environment.names import normal
from tests.environment.inference import (
    cases_engines,
    cases_files,
    cases_imports,
    cases_installs,
    cases_names,
    cases_survey,
)
from tests.environment.inference.case import Case
from tests.environment.inference.fake_kernel import INSTALLED, FakeKernel

SETS: Mapping[str, list[Case]] = {
    "what other tools stumble over": cases_survey.CASES,
    "imports, local code": cases_imports.CASES,
    "names": cases_names.CASES,
    "files beside the notebook": cases_files.CASES,
    "lines that install": cases_installs.CASES,
    "engines loaded by name": cases_engines.CASES,
}
#: In the tests' kernel, and in no index.
MADE_UP = {"one-plugin", "other-plugin", "fromgit", "en-core-web-sm", "our-project"}
PINS = {name: version for name, version, _ in INSTALLED if name not in MADE_UP}


@dataclass(frozen=True)
class Scene:
    """One notebook on disk, and what it needs by its normal name."""

    case: Case
    kind: str
    notebook: Path

    @property
    def folder(self) -> Path:
        """Return the notebook's folder, which is what peers are given."""
        return self.notebook.parent

    @property
    def needs(self) -> set[str]:
        """Return what must be found, no more and no fewer."""
        return {normal(name) for name in self.case.needs}


def kernel(folder: Path) -> FakeKernel:
    """Make the kernel: the real distributions that the tests' kernel stands for, and no others."""
    made = FakeKernel(folder / "kernel")
    pins = [f"{name}=={version}" for name, version in PINS.items()]
    command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps"]
    subprocess.run([*command, "--python", made.kernel.executable, *pins], check=True)
    spec = folder / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    argv = [made.kernel.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"})
    (spec / "kernel.json").write_text(text)
    return made


def write(folder: Path) -> list[Scene]:
    """Write the notebooks below a folder.

    A remark that names folder and case ends every cell: no cell was ever read before.
    """
    found = []
    for kind, cases in SETS.items():
        for number, case in enumerate(each for each in cases if is_told(each)):
            remark = f"\n# {folder.name}: {case.name}"
            texts = [text + remark for text in case.cells]
            place = folder / kind.split(",")[0].replace(" ", "-") / str(number)
            found.append(Scene(case, kind, replace(case, cells=texts).write(place)))
    return found


def is_told(case: Case) -> bool:
    """Tell whether notebook and kernel alone tell a set of distributions, for any tool."""
    of_ours = "jupyter_mlops" in case.metadata
    return not (case.asks or case.stops or of_ours or set(case.needs) & MADE_UP)
