"""Star imports: what they bind is asked of the kernel, or read from the module beside."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import stars
from jupyter_mlops.analyze import analyze
from jupyter_mlops.environment import stars as kernels
from jupyter_mlops.environment.kernel import Kernel
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import dataflow, local_modules
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.local_modules import NotTold
from jupyter_mlops.pipeline.plan import make_plan
from jupyter_mlops.pipeline.stars import homes, narrowed
from tests.equivalence.case import KERNEL


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"


def read(folder: Path, cells: list[str], **files: str) -> Notebook:
    folder.mkdir(exist_ok=True)
    node = nbformat.v4.new_notebook(metadata=KERNEL)
    node.cells = [nbformat.v4.new_code_cell(text) for text in cells]
    nbformat.write(node, folder / "notebook.ipynb")
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return notebooks.read(folder / "notebook.ipynb")


def flow_of(folder: Path, cells: list[str], **files: str) -> Dataflow:
    notebook = stars.resolve(read(folder, cells, **files))
    return dataflow.analyze(notebook.cells, (), notebook.stars)


# --- in the analysis ----------------------------------------------------------------------------


def test_a_star_import_that_shadows_a_name_is_an_edge(tmp_path: Path) -> None:
    cells = ["clip = 3\nown = 1", "from numpy import *", "print(clip(5, 0, 2), own)"]
    flow = flow_of(tmp_path / "book", cells)
    assert flow.flow(3).uses == {"clip": {2}, "own": {1}}
    assert flow.flow(3).by_text == {"clip"}
    assert not flow.flow(2).notes


def test_names_that_no_star_import_binds_are_missing(tmp_path: Path) -> None:
    flow = flow_of(tmp_path / "book", ["from numpy import *", "print(sin(1), nothing_like_it)"])
    assert flow.flow(2).undefined == {"nothing_like_it"}


def test_the_last_star_import_counts(tmp_path: Path) -> None:
    cells = ["from math import *", "from numpy import *", "x = sqrt(4)\ny = factorial(3)"]
    assert flow_of(tmp_path / "book", cells).flow(3).uses == {"sqrt": {2}, "factorial": {1}}


def test_what_pylab_passes_on_has_its_effects(tmp_path: Path) -> None:
    cells = ["from pylab import *", "seed(3)", "a = np.random.rand()", "rcParams['x.y'] = 1"]
    flow = flow_of(tmp_path / "book", cells)
    assert flow.flow(2).sets == {"<rng:numpy>"}
    assert flow.flow(3).uses["<rng:numpy>"] == {2}
    assert flow.flow(4).touches == {"<rcParams>"}


def test_steps_import_only_what_they_need_of_it(tmp_path: Path) -> None:
    cells = ["from numpy import *", "ones = 5", "def size_of(v):\n    return sqrt(sum(square(v)))",
             "print(size_of([1, 2]))"]  # fmt: skip
    notebook = stars.resolve(read(tmp_path / "book", cells))
    plan = make_plan(notebook, dataflow.analyze(notebook.cells, (), notebook.stars), "cells")
    texts = [each.source for each in plan.steps[-1].definitions]
    assert texts[0] == "from numpy import sqrt, square, sum"


def test_narrowing_leaves_other_texts_alone() -> None:
    assert narrowed(["np"], "import numpy as np", {"np"}) == (["np"], "import numpy as np")
    assert narrowed([], "from x import *", {"a"}) == ([], "from x import *")
    assert narrowed(["a", "b"], "from x import *", {"b", "c"}) == (["b"], "from x import b")
    assert narrowed(["a"], "from x import *", set()) == ((), "import x")


@pytest.mark.parametrize("before", ["import sys\nsys.path.insert(0, 'x')", "%%writefile told.py\n"])
def test_another_module_may_be_meant_when_the_cell_runs(before: str, tmp_path: Path) -> None:
    cells = [before, "from told import *", "print(level)"]
    flow = flow_of(tmp_path / "book", cells, told="level = 1")
    assert flow.flow(2).notes == ["from told import * may bind any name"]


def test_hidden_state_is_followed_through_a_star_that_cannot_be_told(tmp_path: Path) -> None:
    cells = ["from numpy.random import *", "seed(3)", "x = rand()"]
    notebook = read(tmp_path / "book", cells)
    flow = dataflow.analyze(notebook.cells)
    assert flow.flow(3).uses["<rng:numpy>"] == {2}


def test_homes_are_those_that_the_table_knows() -> None:
    names = {"np": ["import numpy"], "path": ["import posixpath"], "plot": [], "e": []}
    names["seed"] = ["matplotlib.pylab.seed", "numpy.random.seed"]
    assert homes("pylab", names) == {
        "np": "numpy", "path": "posixpath", "plot": "pylab.plot", "e": "pylab.e",
        "seed": "numpy.random.seed",
    }  # fmt: skip
    assert homes("os", {"path": ["import posixpath"]}) == {"path": "os.path"}


# --- the kernel -------------------------------------------------------------------------------


@pytest.fixture
def kernel() -> Kernel:
    return Kernel("python3", "Python 3", sys.executable)


def test_the_kernel_tells_exactly_what_is_bound(kernel: Kernel) -> None:
    namespace: dict[str, object] = {}
    exec("from numpy import *", namespace)
    told = kernels.ask(kernel, "numpy")
    assert set(told) == set(namespace) - {"__builtins__"}
    assert told["random"] == ["import numpy.random"]


def test_an_answer_is_kept_until_something_is_installed(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kernels.ask(kernel, "json")
    monkeypatch.setattr(kernels, "_imported", lambda *given: pytest.fail("it was asked again"))
    assert kernels.ask(kernel, "json") == kernels.remembered(kernel, "json") == first
    kept = kernels._kept(kernel, "json")
    assert kept is not None and kept.holds
    kernels._keep(kernel, "json", kernels.Answer({"old": []}, {**kept.installed, sys.prefix: 1}))
    monkeypatch.setattr(kernels, "_imported", lambda *given: kernels.Told({"new": []}, []))
    assert kernels.remembered(kernel, "json") == {"old": []}
    assert kernels.ask(kernel, "json") == {"new": []}


def test_a_damaged_answer_is_asked_again(kernel: Kernel, home: Path) -> None:
    first = kernels.ask(kernel, "json")
    (kept,) = (home / "stars").iterdir()
    kept.write_text("{")
    assert kernels.ask(kernel, "json") == first


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise OSError('no display')", "importing it failed: OSError: no display"),
        ("import os; os._exit(3)", "importing it failed: it ended with code 3"),
        ("import time; time.sleep(60)", "importing it took more than 1 s"),
        ("__all__ = ['missing']", "importing it failed: AttributeError: "),
    ],
)
def test_what_cannot_be_imported_is_said(
    text: str, why: str, kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "sick.py"
    module.write_text(text)
    probe = kernels.PROBE.read_text()
    (tmp_path / "probe.py").write_text(
        f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
        + probe.replace("from __future__ import annotations", "")
    )
    monkeypatch.setattr(kernels, "PROBE", tmp_path / "probe.py")
    with pytest.raises(kernels.NoAnswer) as error:
        kernels.ask(kernel, "sick", seconds=1 if "sleep" in text else 30)
    assert str(error.value).startswith(why)


def test_what_an_import_prints_is_no_answer(kernel: Kernel) -> None:
    assert "s" in kernels.ask(kernel, "this")


def test_without_a_kernel_nothing_is_known_and_that_is_said(tmp_path: Path) -> None:
    notebook = read(tmp_path / "book", ["from numpy import *", "x = sin(1)"])
    notebook.node.metadata["kernelspec"]["name"] = "gone"
    nbformat.write(notebook.node, notebook.path)
    told: list[str] = []
    found = stars.resolve(notebooks.read(notebook.path), told.append)
    assert found.stars == {}
    assert told == [
        "from numpy import * may bind any name: The notebook asks for the kernel 'gone', which "
        "is not installed here"
    ]


def test_the_analysis_says_what_it_could_not_find_out(tmp_path: Path) -> None:
    notebook = read(tmp_path / "book", ["from no_such_module import *", "x = 1"])
    assert any("from no_such_module import * may bind any name: importing it failed: "
               in note for note in analyze(notebook.path).notes)  # fmt: skip


def test_while_typing_nothing_is_started(
    tmp_path: Path, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = read(tmp_path / "book", ["from json import *", "from other import *"], other="a = 1")
    kernels.ask(kernel, "json")
    monkeypatch.setattr(kernels, "_imported", lambda *given: pytest.fail("it was asked"))
    found = stars.resolve(notebook, ask=False)
    assert found.stars["other"] == {"a": "other.a"}
    assert set(found.stars["json"]) >= {"dumps", "loads"}
    notebook = read(tmp_path / "book", ["from csv import *"])
    assert stars.resolve(notebook, ask=False).stars == {}


# --- modules beside the notebook ----------------------------------------------------------------


def told(folder: Path, text: str, others: dict[str, str] | None = None) -> dict[str, str]:
    for name, source in {"m.py": text, **(others or {})}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(source)

    def star(module: str) -> dict[str, str] | None:
        if local_modules.path_of(folder, module) is None:
            return {"far": f"{module}.far"}
        return dict(local_modules.star_names(folder, module, star))

    return dict(local_modules.star_names(folder, "m", star))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a = 1\n_b = 2\ndef f(): pass\nclass C: pass", {"a": "m.a", "f": "m.f", "C": "m.C"}),
        ("import numpy as np, os.path\nfrom x import y as z",
         {"np": "numpy", "os": "os", "z": "x.y"}),
        ("a, (b, *c) = 1, (2, 3)\nd: int = 4\ne: int", {n: f"m.{n}" for n in "abcd"}),
        ("a = b = 1\ndel b", {"a": "m.a"}),
        ("__all__ = ['a', '_b']\na = _b = c = 1", {"a": "m.a", "_b": "m._b"}),
        ("__all__ = ['a']\n__all__ += ('c',)\nfor c in x: a = 1", {"a": "m.a", "c": "m.c"}),
        ("from far_away import *\na = 1", {"far": "far_away.far", "a": "m.a"}),
        ("if x:\n    a = 1\nelse:\n    a = 2", {"a": "m.a"}),
        ("try:\n    import numpy as np\nexcept ImportError:\n    np = None", {"np": "m.np"}),
        ("try:\n    import numpy as np\nexcept ImportError:\n    import numpy as np",
         {"np": "numpy"}),
        ("a = 1\nif __name__ == '__main__':\n    b = 2", {"a": "m.a"}),
        ("a = [b for b in range(3)]\nc = lambda d: d", {"a": "m.a", "c": "m.c"}),
        ("if (n := 3) > 2:\n    pass\na = (k := 1)", {"a": "m.a", "k": "m.k", "n": "m.n"}),
        ("a = 1\ndef f():\n    global a\n    a = 2", {"a": "m.a", "f": "m.f"}),
    ],
)  # fmt: skip
def test_a_module_beside_is_read(text: str, wanted: dict[str, str], tmp_path: Path) -> None:
    assert told(tmp_path, text) == wanted
    if "far_away" in text or "from x" in text:
        return
    (tmp_path / "m.py").write_text("x = [1]\n" + text)  # and Python agrees
    namespace: dict[str, object] = {}
    code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nsys.modules.pop('m', None)\n"
    exec(code + "sys.dont_write_bytecode = True\nfrom m import *", namespace)
    sys.path.remove(str(tmp_path))
    sys.modules.pop("m", None)
    assert set(namespace) - {"__builtins__", "sys", "x"} == set(wanted)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("globals().update(a=1)", "it calls globals()"),
        ("def f():\n    exec('a = 1')", "it calls exec()"),
        ("import sys\nsys.modules[__name__].a = 1", "it looks into sys.modules"),
        ("if x:\n    a = 1", "it may bind a, or not"),
        ("for a in range(3): pass", "it may bind a, or not"),
        ("from contextlib import suppress\nwith suppress(ImportError):\n    import a",
         "it may bind a, or not"),
        ("try:\n    import a\nexcept ImportError:\n    pass", "it may bind a, or not"),
        ("def f():\n    global a\n    a = 1", "it may bind a, or not"),
        ("__all__ = [n for n in dir()]", "its __all__ is computed"),
        ("a = 1\n__all__ = ['a']\n__all__.append('b')", "its __all__ is computed"),
        ("if True", "it cannot be read: "),
    ],
)  # fmt: skip
def test_where_the_text_does_not_tell_it_is_said(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(NotTold) as error:
        told(tmp_path, text)
    assert str(error.value).startswith(why)


def test_a_package_and_its_submodules(tmp_path: Path) -> None:
    inner = {"p/__init__.py": "from .part import *\nfrom . import part", "p/part.py": "a = b = 1"}
    assert told(tmp_path, "from p import *", inner) == {
        "a": "p.part.a", "b": "p.part.b", "part": "p.part",
    }  # fmt: skip
    with pytest.raises(NotTold, match="it may bind more, or not"):
        told(tmp_path, "from p import *", {"p/more.py": "c = 3"})


def test_a_module_with_the_name_of_pythons_own_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("a = 1")
    with pytest.raises(NotTold, match="name of a module of Python itself"):
        local_modules.star_names(tmp_path, "random", lambda module: None)


def test_modules_that_star_import_each_other_end(tmp_path: Path) -> None:
    cells = ["from one import *", "print(a)"]
    files = {"one": "from two import *\na = 1", "two": "from one import *\nb = 1"}
    notes: list[str] = []
    found = stars.resolve(read(tmp_path / "book", cells, **files), notes.append)
    assert found.stars == {}
    assert notes == [
        "from one import * may bind any name: what its star import of two binds is not known"
    ]


def test_nothing_beside_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"open({os.fspath(mark)!r}, 'w').close()\na = 1"
    found = stars.resolve(read(tmp_path / "book", ["from mine import *"], mine=text))
    assert found.stars == {"mine": {"a": "mine.a"}}
    assert not mark.exists()
