"""One notebook through every door that takes a notebook without running it."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import stat
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.utils.exceptions import ConversionException

from jupyter_mlops import cli, exports
from jupyter_mlops.analyze import Analysis, analyze
from jupyter_mlops.draft import analyze_draft
from jupyter_mlops.errors import MlopsError, Problem
from jupyter_mlops.pipeline.export.exporter import MlopsPipelineExporter

from .sentences import unclear


@dataclass
class Outcome:
    """What became of one notebook: a word for each door, and what is wrong."""

    doors: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def look(path: Path, work: Path, on_door: Callable[[str], None] = lambda _: None) -> Outcome:
    """Take a notebook through every door. ``work`` is an empty folder for what is written."""
    return _Look(path, work, on_door).outcome()


class _Look:
    def __init__(self, path: Path, work: Path, on_door: Callable[[str], None]) -> None:
        self._path = path
        self._work = work
        self._on_door = on_door
        self._result = Outcome()

    def outcome(self) -> Outcome:
        before = _content(self._path)
        beside = _names(self._path.parent)
        analysis = self._through("analyze", lambda: analyze(self._path))
        if analysis is not None:
            self._check_analysis(analysis)
        if isinstance(before, bytes):
            self._through("draft", lambda: analyze_draft(self._path, before))
        for split in ("auto", "cells"):
            self._export(split)
        self._module()
        self._slice(analysis)
        self._nbconvert()
        self._command("--json")
        self._command()
        if _content(self._path) != before:
            self._result.wrong.append("the notebook is another one now")
        if _names(self._path.parent) != beside:
            self._result.wrong.append("something lies beside the notebook")
        return self._result

    def _through(self, door: str, enter: Callable[[], Any]) -> Any:
        """Return what a door gives; ``None`` where it refuses with a sentence."""
        self._on_door(door)
        try:
            with self._no_warning(door):
                given = enter()
        except MlopsError as error:
            self._result.doors[door] = "refused"
            self._check_problems(door, error.problems)
            if door == "analyze":
                self._result.said += str(error).split("\n")
            return None
        except (Exception, SystemExit) as error:
            self._fault(door, error)
            return None
        self._result.doors[door] = "result"
        return given

    @contextlib.contextmanager
    def _no_warning(self, door: str) -> Iterator[None]:
        """What Python says of the notebook's code is no news; from 3.12 on it says more."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", SyntaxWarning)
            warnings.filterwarnings("always", "invalid (escape|.* literal)", DeprecationWarning)
            yield
        self._result.wrong += [
            f"{door}: {each.category.__name__} of {each.filename}: {each.message}" for each in told
        ]

    def _fault(self, door: str, error: BaseException) -> None:
        self._result.doors[door] = "wrong"
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "jupyter_mlops" in frame.filename] or frames
        at = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        self._result.wrong.append(f"{door}: {type(error).__name__} at {at}: {str(error)[:200]!r}")

    def _check_problems(self, door: str, problems: list[Problem]) -> None:
        for problem in problems:
            sentence = problem.sentence()
            why = unclear(sentence, self._path.name)
            if why:
                self._result.wrong.append(f"{door}: {why}: {sentence[:300]!r}")

    # --- analysis -------------------------------------------------------------------------
    def _check_analysis(self, analysis: Analysis) -> None:
        self._check_problems("analyze", analysis.problems)
        self._result.said += [problem.sentence() for problem in analysis.problems]
        if analysis.problems:
            self._result.doors["analyze"] = "problems"
        for sign in analysis.hidden_state:
            why = unclear(f"{sign.problem}. {sign.remedy}.", self._path.name)
            if why:
                self._result.wrong.append(f"hidden state: {why}: {sign.problem[:300]!r}")
        for text in [*analysis.notes, *(r for step in analysis.steps for r in step.merged)]:
            if len(text) > 1000 or not text.isprintable():
                self._result.wrong.append(f"note: not one line: {text[:300]!r}")
        cells = [number for step in analysis.steps for number in step.cells]
        if sorted(cells) != list(range(1, len(cells) + 1)):
            self._result.wrong.append("a cell is in no step, or in two")
        names = [step.name for step in analysis.steps]
        if len(set(names)) != len(names) or not all(_is_name(name) for name in names):
            self._result.wrong.append(f"names of steps: {names}")

    def _command(self, *options: str) -> None:
        """Call the command line: on success one JSON object, or a page of text."""
        said, out = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in "ab")
        door = " ".join(["command", *options])

        def enter() -> int:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
                code = cli.main(["analyze", *options, str(self._path)])
                out.flush()
                said.flush()
            return code

        code = self._through(door, enter)
        if code:
            self._result.doors[door] = "refused"
        text = out.buffer.getvalue().decode()
        wrong = self._result.wrong
        if "Traceback" in text or "Traceback" in said.buffer.getvalue().decode():
            wrong.append(f"{door}: a traceback")
        if code is not None and options:
            try:
                json.loads(text, parse_constant=_no_constant)
            except ValueError as error:
                wrong.append(f"{door}: not JSON: {error}")
        if code == 0 and not options:
            odd = [line for line in text.splitlines() if not line.isprintable()]
            if odd:
                wrong.append(f"{door}: characters that a terminal obeys: {odd[0][:200]!r}")

    # --- exports --------------------------------------------------------------------------
    def _export(self, split: Any) -> None:
        folder = self._work / f"steps-{split}"
        door = f"folder {split}"
        made = self._through(door, lambda: exports.export_steps(self._path, folder, split))
        if made is None:
            self._nothing_left(door, folder)
            return
        for name in made.notebooks:
            self._valid(door, folder / name)
        for script in ("run.sh", "README.md", "steps.json"):
            if not (folder / script).is_file():
                self._result.wrong.append(f"{door}: no {script}")
        shutil.rmtree(folder)

    def _module(self) -> None:
        path = self._work / "steps.py"
        if self._through("module", lambda: exports.export_steps(self._path, path)) is None:
            self._nothing_left("module", path)
        else:
            self._compiles("module", path.read_text(encoding="utf-8"))

    def _slice(self, analysis: Analysis | None) -> None:
        captures = [item.name for item in analysis.captures] if analysis else []
        names = [*captures, "y", "x", "a", "z", "b"] if analysis else ["x"]
        for ending in ("py", "ipynb"):
            path = self._work / f"slice.{ending}"
            door = f"slice .{ending}"
            for name in dict.fromkeys(names):
                enter = partial(exports.slice_names, self._path, [name], path)
                if self._through(door, enter) is not None:
                    break
                self._nothing_left(door, path)
            if path.is_file() and ending == "py":
                self._compiles(door, path.read_text(encoding="utf-8"))
            elif path.is_file():
                self._valid(door, path)

    def _nbconvert(self) -> None:
        """Put what nbformat reads through the exporter, as ``jupyter nbconvert`` does."""
        if not self._path.is_file() or self._path.resolve().is_char_device():
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                node = nbformat.reads(self._path.read_text(encoding="utf-8"), as_version=4)
            except Exception:
                return  # nbconvert itself refuses it, before it asks the exporter
        resources = {"metadata": {"name": self._path.stem, "path": str(self._path.parent)}}

        def enter() -> str:
            try:
                text, _ = MlopsPipelineExporter().from_notebook_node(node, resources)
            except ConversionException as error:
                raise MlopsError(str(error)) from None
            return str(text)

        self._on_door("nbconvert")
        try:
            with self._no_warning("nbconvert"):
                text = enter()
        except MlopsError as error:
            self._result.doors["nbconvert"] = "refused"
            for line in error.problems[0].problem.splitlines():
                self._check_problems("nbconvert", [Problem(problem=line)])
        except (Exception, SystemExit) as error:
            self._fault("nbconvert", error)
        else:
            self._result.doors["nbconvert"] = "result"
            self._compiles("nbconvert", text)

    # --- what was written -----------------------------------------------------------------
    def _nothing_left(self, door: str, path: Path) -> None:
        if path.exists():
            self._result.wrong.append(f"{door}: left {path.name} after an error")
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _compiles(self, door: str, text: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                compile(text, door, "exec")
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self._result.wrong.append(f"{door}: does not compile: {error}")

    def _valid(self, door: str, path: Path) -> None:
        try:
            nbformat.validate(nbformat.read(path, as_version=4))
        except Exception as error:
            self._result.wrong.append(f"{door}: {path.name} is no notebook: {str(error)[:200]!r}")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _is_name(name: str) -> bool:
    return 0 < len(name) <= 40 and name.isascii() and name.replace("-", "").isalnum()


def _content(path: Path) -> Any:
    """Return what is at a path: bytes, or what kind of thing."""
    try:
        mode = path.stat().st_mode
        return path.read_bytes() if stat.S_ISREG(mode) else stat.S_IFMT(mode)
    except OSError as error:
        return type(error)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
