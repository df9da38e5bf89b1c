"""What a notebook needs and its lock, beside pipreqs, pigar and deptry: right or not, and how long.

All read the same notebooks (see ``scene.py``; what is right was written there before) and see
the same packages. pipreqs and pigar ask an index on loopback for what they find nowhere.

- *In a process*: each tool is running, has done one notebook, and is given one that it has never
  seen. It is processor time: nobody waits for anything, other work on the machine does not count.
  Ours knows what is installed from the notebook before, and looks whether that still holds.
- *A command*: from the shell to the end, nothing kept from before. Ours is ``jupyter mlops
  analyze``, which also finds the steps.
- *Lock*: the pins and hashes of everything. Peers have none: theirs is ``uv pip compile
  --generate-hashes`` of what they wrote, without the time of their inference.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import index, peers, scene
from benchmarks.locking import Locking
from benchmarks.peers import Peer
from benchmarks.scene import Scene
from benchmarks.table import Grid, Tables, Words
from jupyter_mlops import notebook as notebooks
from jupyter_mlops import parsed
from jupyter_mlops.environment import kernel as kernels
from jupyter_mlops.environment.infer import infer
from jupyter_mlops.environment.kernel import Kernel
from jupyter_mlops.environment.names import normal

OURS, LOCAL = "ours", "pipreqs --use-local"
READING = "pipreqs, only the imports"
#: Of the notebooks, every so many is given to a whole command, and is read in further rounds.
SAMPLED, FURTHER = 32, 4
WARM, COMMAND = "in a process", "a command"


@dataclass(frozen=True)
class Found:
    """What a tool made of a notebook: normal names, or why it broke off."""

    seconds: float
    names: set[str]
    crash: str = ""


class Tools:
    """Ours and its peers; what they write goes into a folder, a new file each time."""

    def __init__(self, folder: Path, kernel: Kernel, started: dict[str, Peer], address: str):
        self.kernel = kernel
        self.started = started
        self.address = address
        self.folder = folder
        self.numbers = itertools.count()
        self.failed: Counter[str] = Counter()
        self.names = [OURS]
        for name, peer in started.items():
            if peer.command:
                self.names += [name, LOCAL] if name == "pipreqs" else [name]
        self.timed = [*self.names, READING] if LOCAL in self.names else self.names

    def output(self) -> Path:
        """Return where requirements are to be written next."""
        return self.folder / f"requirements-{next(self.numbers)}.txt"

    def infer(self, tool: str, each: Scene, output: Path) -> Found:
        """Let a tool that runs already read a notebook."""
        if tool == OURS:
            return self._ours(each)
        places = {LOCAL: "", READING: "imports"}
        request = {
            "folder": str(each.folder),
            "output": str(output),
            "index": places.get(tool, self.address),
        }
        answer = self.started[tool.split()[0].rstrip(",")].ask(request, 1)
        if answer is None:
            return Found(float("inf"), set(), "it gives no answer")
        return Found(answer["seconds"], written(output), answer["crash"])

    def _ours(self, each: Scene) -> Found:
        parsed.of.cache_clear()
        parsed.with_magics.cache_clear()
        gc.collect()
        began = time.process_time()
        found = infer(notebooks.read(each.notebook), kernels.probe(self.kernel))
        seconds = time.process_time() - began
        stopped = "it asks or refuses" if found.questions or found.problems else ""
        return Found(seconds, {normal(each.name) for each in found.dependencies}, stopped)

    def command(self, tool: str, each: Scene, output: Path) -> float:
        """Run a tool's command on a notebook; return the seconds until it ends."""
        place = self.folder
        words, env = [str(Path(sys.executable).with_name("jupyter-mlops"))], dict(os.environ)
        if tool == OURS:
            words += ["analyze", "--json", str(each.notebook)]
            env["JUPYTER_MLOPS_HOME"] = str(output.with_suffix(".home"))
            env["JUPYTER_PATH"] = str(self.folder / "jupyter")
        elif tool == "deptry":
            output.with_suffix(".toml").write_text('[project]\nname = "empty"\ndependencies = []\n')
            words = [str(place / "deptry" / "bin" / "deptry"), ".", "-o", str(output)]
            words += ["--config", str(output.with_suffix(".toml"))]
        elif tool == "pigar":
            words = [str(place / "pigar" / "bin" / "pigar"), "generate", "-f", str(output)]
            words += ["--question-answer", "yes", "--auto-select", str(each.folder)]
            words += ["--index-url", f"{self.address}/simple/"]
        else:
            words = [str(place / "pipreqs" / "bin" / "pipreqs"), "--scan-notebooks"]
            words += (
                ["--use-local"] if tool == LOCAL else ["--pypi-server", f"{self.address}/pypi/"]
            )
            words += ["--savepath", str(output), str(each.folder)]
        began = time.perf_counter()
        done = subprocess.run(words, cwd=each.folder, env=env, capture_output=True)
        seconds = time.perf_counter() - began
        # deptry ends so whenever it has something to report
        self.failed[tool] += bool(done.returncode) and tool != "deptry"
        return seconds


def measure(rounds: int) -> Tables:
    """Measure in rounds, each with notebooks of its own, every tool after ours on each.

    The first round reads all notebooks and tells what is right, further ones some of them.
    """
    right = Words(
        "Environment: notebooks that are right, - missing and + superfluous distributions"
    )
    times = Grid("Environment: inference (milliseconds a notebook, median of the notebooks)")
    with _stage() as tools:
        locking = Locking(tools.kernel)
        for number in range(rounds):
            scenes = scene.write(tools.folder / f"round-{number}")
            some = scenes[number % FURTHER :: FURTHER] if number else scenes
            _infer(tools, some, None if number else right, times)
            for tool in tools.names:
                sample = scenes[number % SAMPLED :: SAMPLED]
                seconds = [tools.command(tool, each, tools.output()) for each in sample]
                times.add(COMMAND, tool, median(seconds) * 1000)
            locking.one_round(scenes, tools)
        failed = +tools.failed
        times.notes += [f"{tool}: {count} commands failed" for tool, count in failed.items()]
        times.notes += [note for peer in tools.started.values() for note in peer.notes]
    return Tables([right, times, *locking.tables()])


@contextmanager
def _stage() -> Iterator[Tools]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        before = os.environ.get("JUPYTER_MLOPS_HOME")
        os.environ["JUPYTER_MLOPS_HOME"] = str(folder / "home")
        stack.callback(_restore, "JUPYTER_MLOPS_HOME", before)
        made = scene.kernel(folder)
        started = peers.install_inferring(folder, made.site)
        for peer in started.values():
            stack.callback(peer.close)
        address = stack.enter_context(index.running(scene.PINS))
        tools = Tools(folder, made.kernel, started, address)
        first = scene.write(folder / "warm-up")[0]
        for tool in tools.names:
            tools.infer(tool, first, tools.output())
        yield tools


def _infer(tools: Tools, scenes: list[Scene], right: Words | None, times: Grid) -> None:
    """Let every tool read every notebook; tell what is right where a table for that is given."""
    seconds: dict[str, list[float]] = {tool: [] for tool in tools.timed}
    scores: dict[tuple[str, str], Counter[str]] = {}
    for each in scenes:
        for tool in tools.timed:
            found = tools.infer(tool, each, tools.output())
            seconds[tool].append(found.seconds)
            if tool == READING:
                continue
            for row in (each.kind, "all"):
                _score(scores.setdefault((row, tool), Counter()), each, found)
            wrong = found.names != each.needs or found.crash
            if tool == OURS and right is not None and wrong:
                told = found.crash or ", ".join(sorted(found.names)) or "nothing"
                right.notes.append(f"ours is wrong: {each.case.name}: {told}")
    for tool, taken in seconds.items():
        times.add(WARM, tool, median(taken) * 1000)
    for (row, tool), score in sorted(scores.items(), key=lambda item: item[0][0] == "all"):
        if right is not None:
            right.cells.setdefault(f"{row} ({score['all']})", {})[tool] = _told(score)


def _score(score: Counter[str], each: Scene, found: Found) -> None:
    score["all"] += 1
    score["right"] += found.names == each.needs and not found.crash
    score["missing"] += len(each.needs - found.names)
    score["superfluous"] += len(found.names - each.needs)
    score["crashed"] += bool(found.crash)


def _told(score: Counter[str]) -> str:
    crashed = f" {score['crashed']} crashed" if score["crashed"] else ""
    return f"{score['right']:>3} -{score['missing']} +{score['superfluous']}{crashed}"


def written(output: Path) -> set[str]:
    """Return the normal names in a file of requirements, none where it was not written."""
    lines = output.read_text().splitlines() if output.is_file() else []
    names = (re.match(r"[A-Za-z0-9][\w.-]*", line) for line in lines)
    return {normal(name.group()) for name in names if name}


def _restore(variable: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value
