"""How long a lock takes, and whether it is what ran: ours beside uv's of what peers wrote."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Protocol

from benchmarks.scene import PINS, Scene
from benchmarks.table import Grid, Words
from jupyter_mlops import notebook as notebooks
from jupyter_mlops.environment import kernel as kernels
from jupyter_mlops.environment import lock as locks
from jupyter_mlops.environment.infer import infer
from jupyter_mlops.environment.kernel import Kernel
from jupyter_mlops.environment.names import normal
from jupyter_mlops.environment.options import UV_PLATFORMS

OURS, UV = "ours", "+ uv pip compile"
LOCKED = {
    "survey: modules with other names",
    "survey: engines that pandas loads",
    "survey: google.cloud",
}
KERNEL = {normal(name): version for name, version in PINS.items()}


class Writers(Protocol):
    """Tools that write requirements."""

    names: list[str]

    def output(self) -> Path:
        """Return where requirements are to be written next."""

    def infer(self, tool: str, each: Scene, output: Path) -> object:
        """Let a tool write what a notebook needs."""


class Locking:
    """Times and findings of all rounds."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.times = Grid("Environment: lock (seconds a notebook, median of the notebooks)")
        self.found: dict[str, Counter[str]] = {}

    def tables(self) -> list[Grid | Words]:
        """Return what was measured."""
        words = Words(f"Environment: what is locked ({len(LOCKED)} notebooks)")
        for row in ("no lock", "missing", "other versions than ran", "locked"):
            words.cells[row] = {name: f"{score[row]:>8}" for name, score in self.found.items()}
        return [self.times, words]

    def one_round(self, scenes: list[Scene], writers: Writers) -> None:
        """Lock the chosen notebooks by every tool, with uv's cache empty and then filled."""
        chosen = [each for each in scenes if each.case.name in LOCKED]
        for tool in writers.names:
            if tool.startswith("pipreqs -"):
                continue
            shown = tool if tool == OURS else f"{tool} {UV}"
            score, cold, warm = Counter[str](), [], []
            for each in chosen:
                requirements = writers.output()
                if tool != OURS:
                    writers.infer(tool, each, requirements)
                with tempfile.TemporaryDirectory() as cache:
                    cold.append(self._lock(tool, each, requirements, cache)[0])
                seconds, pins = self._lock(tool, each, requirements, "")
                warm.append(seconds)
                _compare(score, each, pins)
            self.times.add("uv's cache is empty", shown, median(cold))
            self.times.add("uv's cache is filled", shown, median(warm))
            self.found[shown] = score

    def _lock(
        self, tool: str, each: Scene, requirements: Path, cache: str
    ) -> tuple[float, dict[str, str]]:
        """Return how long a lock took, and its versions by name; none where there is no lock."""
        before = os.environ.get("UV_CACHE_DIR")
        if cache:
            os.environ["UV_CACHE_DIR"] = cache
        try:
            return self._ours(each) if tool == OURS else self._uv(requirements)
        finally:
            if cache and before is None:
                del os.environ["UV_CACHE_DIR"]
            elif before is not None:
                os.environ["UV_CACHE_DIR"] = before

    def _ours(self, each: Scene) -> tuple[float, dict[str, str]]:
        interpreter = kernels.probe(self.kernel)
        needs = infer(notebooks.read(each.notebook), interpreter).dependencies
        began = time.perf_counter()
        made = locks.lock(needs, interpreter, folder=each.folder)
        seconds = time.perf_counter() - began
        return seconds, {normal(package.name): package.version for package in made.packages}

    def _uv(self, requirements: Path) -> tuple[float, dict[str, str]]:
        platform = UV_PLATFORMS[locks.platform_of(kernels.probe(self.kernel))]
        output = requirements.with_suffix(".lock")
        words = [sys.executable, "-m", "uv", "pip", "compile", "-q", "--generate-hashes"]
        words += ["--python", self.kernel.executable, "--python-platform", platform]
        began = time.perf_counter()
        done = subprocess.run([*words, str(requirements), "-o", str(output)], capture_output=True)
        seconds = time.perf_counter() - began
        text = "" if done.returncode else output.read_text()
        return seconds, dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))


def _compare(score: Counter[str], each: Scene, pins: dict[str, str]) -> None:
    score["no lock"] += not pins
    score["missing"] += len(each.needs - set(pins))
    score["locked"] += len(pins)
    score["other versions than ran"] += sum(
        KERNEL.get(name, version) != version for name, version in pins.items()
    )
