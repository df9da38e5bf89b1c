"""What the notebooks of every day taught about the hand-over."""

from __future__ import annotations

import builtins
import functools
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from IPython.core.builtin_trap import BuiltinTrap
from IPython.core.interactiveshell import InteractiveShellABC

from jupyter_mlops.runtime.handover import definitions, kernel
from jupyter_mlops.runtime.handover.files import StepFiles
from jupyter_mlops.runtime.handover.foreign import Modules
from jupyter_mlops.runtime.handover.models import Session, StepSpec
from jupyter_mlops.runtime.handover.opened import Opened
from jupyter_mlops.runtime.handover.store import Before
from tests.runtime.handover.program import Program


def test_what_a_step_raises_is_its_answer() -> None:
    """An expression that raises gets no answer at all from some versions of IPython."""
    answer = json.loads(kernel.answer("begin", "/nowhere/session.json"))
    assert answer["error"]["ename"] == "FileNotFoundError"
    assert "session.json" in answer["error"]["evalue"]
    assert json.loads(kernel.answer("undeclared", "unknown")) == {"text": "[]"}


def test_the_answer_is_an_expression(tmp_path: Path) -> None:
    told = json.loads(eval(kernel.call("end", tmp_path)))
    assert told["error"]["ename"] == "KeyError"


class Shell:
    """As much of IPython's shell as the hand-over asks for."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.builtin_trap = BuiltinTrap(self)

    def get_ipython(self) -> Shell:
        return self


InteractiveShellABC.register(Shell)


def test_libraries_that_a_hand_over_imports_find_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they do when a cell imports them: what they draw or print depends on it."""
    (tmp_path / "asking.py").write_text(
        "try:\n    kernel = get_ipython()\nexcept NameError:\n    kernel = None\n"
        "class Kind:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    program = Program(tmp_path).step("import asking\nvalue = asking.Kind()", wanted="value")
    assert [unit.names for unit in program.exported] == [["value"]]
    assert sys.modules["asking"].kernel is None
    monkeypatch.delitem(sys.modules, "asking")

    (tmp_path / "work").mkdir()
    spec = StepSpec(name="next", position=1, cells=[2], reads=["value"])
    before, out = [str(tmp_path / "step0")], str(tmp_path / "step1")
    session = Session(
        spec=spec, before=before, out=out, beside=str(tmp_path), work=str(tmp_path / "work")
    )
    (tmp_path / "session.json").write_bytes(msgspec.json.encode(session))
    shell = Shell()
    monkeypatch.setattr("IPython.get_ipython", shell.get_ipython)
    path = str(tmp_path / "session.json")
    kernel.begin(path)
    kernel.end(path)
    assert type(shell.user_ns["value"]).__name__ == "Kind"
    assert sys.modules["asking"].kernel is shell
    assert not hasattr(builtins, "get_ipython")


@pytest.mark.parametrize(
    ("made_in", "told"), [("matplotlib_inline.backend_inline", False), ("__main__", True)]
)
def test_what_the_kernel_sets_on_pyplot_is_no_change(
    monkeypatch: pytest.MonkeyPatch, made_in: str, told: bool
) -> None:
    pyplot = types.ModuleType("matplotlib.pyplot")
    pyplot.draw_if_interactive = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    modules = Modules({"plt": pyplot}, [])
    wrapped: Any = lambda: None  # noqa: E731
    wrapped.__module__ = made_in
    pyplot.draw_if_interactive = wrapped  # type: ignore[attr-defined]
    assert ("matplotlib.pyplot" in modules.changed()) is told


def deprecated(wrapped: property) -> property:
    """As libraries do it: a property around a property."""

    @property
    @functools.wraps(wrapped)  # type: ignore[arg-type]
    def around(self: Any) -> Any:
        return wrapped.fget(self) if wrapped.fget else None

    return around  # type: ignore[return-value]


class Fitted:
    @deprecated
    @property
    def sigma(self) -> int:
        return 1

    @staticmethod
    def plain() -> int:
        return 2


class Endless:
    """As ``unittest.mock.call``: it has every attribute."""

    def __getattr__(self, name: str) -> Endless:
        return self


def test_a_property_around_a_property_is_of_the_text() -> None:
    state = definitions.state_of(Fitted)
    assert state is not None and state.values == {}
    made: Any = type("Made", (), {"call": Endless()})
    state = definitions.state_of(made)
    assert state is not None and list(state.values) == ["call"]


@pytest.fixture
def above(tmp_path: Path) -> Callable[[int], StepFiles]:
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    (tmp_path / "project" / "data.csv").write_text("1")
    (tmp_path / "far.csv").write_text("2")

    def make(levels: int) -> StepFiles:
        work = tmp_path / "step" / "a" / "b" / "c"
        work.mkdir(parents=True)
        return StepFiles(work, tmp_path / "project" / "notebooks", Before([]), levels)

    return make


def test_files_above_the_notebook_are_put_above_the_step(
    above: Callable[[int], StepFiles], tmp_path: Path
) -> None:
    files = above(2)
    files.place(["../data.csv", "../../far.csv", "../../../farther.csv"])
    assert (files.work / "../data.csv").read_text() == "1"
    assert (files.work / "../../far.csv").read_text() == "2"
    assert [problem.name for problem in files.problems] == ["<file:../../../farther.csv>"]
    assert files.collect(tmp_path / "out") == ({}, [])


def test_a_step_without_folders_above_is_told(above: Callable[[int], StepFiles]) -> None:
    files = above(0)
    files.place(["../data.csv"])
    assert not (files.work / "../data.csv").exists()
    assert [problem.name for problem in files.problems] == ["<file:../data.csv>"]


def test_reading_above_is_told_where_the_text_hides_it(above: Callable[[int], StepFiles]) -> None:
    files = above(2)
    files.place([])
    opened = Opened()
    for name in ("../data.csv", "../never.csv"):
        opened.note("open", (str(files.work / name), "r", 0))
    assert files.undeclared(opened) == ["<file:../data.csv>"]


def test_writing_above_is_told(above: Callable[[int], StepFiles], tmp_path: Path) -> None:
    files = above(2)
    files.place(["../data.csv"])
    (files.work / "../data.csv").write_text("changed")
    (files.work / "../../made.csv").write_text("new")
    files.collect(tmp_path / "out")
    told = sorted(problem.name for problem in files.problems)
    assert told == ["<file:../../made.csv>", "<file:../data.csv>"]


@pytest.mark.parametrize(
    "view",
    ["whole[1:]", "whole[:, 1]", "whole.T", "whole[::-1]", "whole[:, ::-2]", "whole[2, 3:4]"],
)
def test_arrays_of_objects_that_share_memory_do_so_afterwards(tmp_path: Path, view: str) -> None:
    program = Program(tmp_path).define("import numpy as np", "np")
    program.step(
        "whole = np.empty((3, 4), dtype=object)\n"
        "for n in range(12):\n    whole[n // 4, n % 4] = str(n)\n"
        f"part = {view}\nshown = part.tolist()",
        wanted="whole part shown",
    )
    for _ in range(2):  # what was handed over once is handed over again
        program.step(
            "assert part.tolist() == shown and np.shares_memory(part, whole)\npart[...] = part",
            reads="whole part shown np",
            wanted="whole part shown",
        )
    program.step("part[..., 0] = 'new'\nfound = (whole == 'new').sum()", reads="whole part np")
    assert program["found"] == part_size(view)


def part_size(view: str) -> int:
    whole = np.zeros((3, 4))
    part = eval(view, {"whole": whole})
    part[..., 0] = 1
    return int(whole.sum())


def test_windows_over_an_array_stay_over_it(tmp_path: Path) -> None:
    program = Program(tmp_path).define("import numpy as np", "np")
    program.step(
        "row = np.arange(6)\nwindows = np.lib.stride_tricks.sliding_window_view(row, 3)",
        wanted="row windows",
    )
    program.step("row[0] = 100", reads="row", optional="windows", wanted="row windows")
    program.step("found = int(windows[0, 0])", reads="windows")
    assert program["found"] == 100
