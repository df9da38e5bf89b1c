"""The worst of what random notebooks have shown, each by name."""

from __future__ import annotations

import ast
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.utils.exceptions import ConversionException

from jupyter_mlops import exports, notebook, parsed
from jupyter_mlops.analyze import extract
from jupyter_mlops.errors import MlopsError, NotebookError
from jupyter_mlops.pipeline import dataflow, hidden
from jupyter_mlops.pipeline.effects.heap import reach
from jupyter_mlops.pipeline.export.exporter import MlopsPipelineExporter
from tests.malformed.check import look
from tests.malformed.kinds import KERNEL, code, dumped, markdown, of_texts, tagged
from tests.malformed.kinds import notebook as made
from tests.malformed.sentences import unclear


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "n.ipynb"
    path.write_bytes(content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(NotebookError) as caught:
        notebook.read(path)
    return str(caught.value)


# --- files ---------------------------------------------------------------------------------
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "n.ipynb")
    assert "a pipe or a device" in refused(tmp_path / "n.ipynb")


def test_an_endless_device_is_not_read() -> None:
    assert "a pipe or a device" in refused(Path("/dev/zero"))


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").symlink_to(tmp_path / "n.ipynb")
    assert "cannot be read" in refused(tmp_path / "n.ipynb")


def test_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf" + of_texts(["x = 1"]))
    assert "begins with a byte order mark" in refused(path)


@pytest.mark.parametrize("depth", [200, 100_000])
def test_deep_json(tmp_path: Path, depth: int) -> None:
    text = of_texts(["x = 1"]).decode()
    deep = text.replace('"metadata": {}', '"metadata": {"a": ' + "[" * depth + "]" * depth + "}")
    assert "nested too deeply" in refused(written(tmp_path, deep.encode()))


def test_a_number_that_python_does_not_read(tmp_path: Path) -> None:
    text = of_texts(["x = 1"])
    long = text.replace(b'"execution_count": null', b'"execution_count": ' + b"1" * 5000)
    assert "more than 4300 digits" in refused(written(tmp_path, long))


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, dumped(made([code("x = 1"), tagged("no list", "y = x")])))
    assert "cells[2].metadata.tags: 'no list' is not of type 'array'" in refused(path)


@pytest.mark.parametrize("content", [{"cells": 3}, {"cells": [3]}, {"cells": [{"id": []}]}])
def test_no_words_of_python_about_wrong_shapes(tmp_path: Path, content: dict[str, Any]) -> None:
    said = refused(written(tmp_path, dumped({**made([]), **content})))
    assert "is damaged" in said
    assert not unclear(said, "n.ipynb")


def test_half_a_character_in_code_is_refused(tmp_path: Path) -> None:
    said = refused(written(tmp_path, of_texts(["x = 1", "y = '\ud800'"])))
    assert said.startswith("cell 2: The cell holds half a character")


def test_half_a_character_elsewhere_is_replaced(tmp_path: Path) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "\ud800"}
    cells = [markdown("# A\udc80"), code("x = 1", outputs=[output]), code("print(x)")]
    path = written(tmp_path, dumped(made(cells)))
    before = path.read_bytes()
    exports.export_steps(path, tmp_path / "out")
    assert notebook.read(path).title == "A\ufffd"
    assert path.read_bytes() == before


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.ipynb")
    path.write_bytes(of_texts(["x = 1"]))
    exports.export_steps(path, tmp_path / "out.py")
    exports.export_steps(path, tmp_path / "out")
    assert "caf" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_file_name_of_two_lines(tmp_path: Path) -> None:
    path = tmp_path / "a\nb.ipynb"
    path.write_text("no notebook")
    assert refused(path).startswith("a\ufffdb.ipynb: This is not a notebook")


def test_an_error_of_a_terminals_own_language(tmp_path: Path) -> None:
    spec = {"kernelspec": {**KERNEL["kernelspec"], "language": "\x1b[31mred\nrum"}}
    path = written(tmp_path, dumped(made([code("x")], metadata=spec)))
    said = refused(path)
    assert "written in [31mred rum" in said
    assert said.isprintable()


# --- lines ---------------------------------------------------------------------------------
@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_line_feeds_end_lines(tmp_path: Path, odd: str) -> None:
    """A definition travels as text: its lines are those that Python counts."""
    first = f"a = 'x{odd}y'\ndef f(b):\n    return '{odd}', b\nc = 1"
    path = written(tmp_path, of_texts([first, "# step: use\nprint(f(a), c)"]))
    flow = dataflow.analyze(notebook.read(path).cells)
    (text,) = flow.flow(1).definitions
    assert text.source == f"def f(b):\n    return '{odd}', b"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_line_feeds_to_python(tmp_path: Path, end: str) -> None:
    path = written(tmp_path, of_texts([end.join(["def f(a):", "    return a"]), "f(1)"]))
    found = notebook.read(path)
    assert found.cells[0].source == "def f(a):\n    return a"
    exports.export_steps(path, tmp_path / "out.py")
    assert b"\r" not in (tmp_path / "out.py").read_bytes()


def test_texts_keep_their_separators(tmp_path: Path) -> None:
    path = written(tmp_path, of_texts(["%pip install x\na = 'x\u2028y'", "print(a)"]))
    assert "'x\u2028y'" in extract(notebook.read(path)).step_notebook.cells[0].source


# --- depth ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "y = 1" + " + x" * 10_000,
        "y = x" + ".a" * 5000,
        "y = x" + ".a(1)" * 300,
        "y = " + "-" * 2000 + "1",
        "y = " + "[" * 150 + "]" * 150,
        "y = " + "(" * 2000 + "1" + ")" * 2000,
        "if x:\n    y = 1\n" + "\n".join(f"elif x == {i}:\n    y = {i}" for i in range(500)),
    ],
    ids=["operands", "attributes", "calls", "signs", "lists", "brackets", "elif"],
)
def test_a_cell_too_deep_is_told_and_never_dropped(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, of_texts(["x = [1]\ny = 0", text, "z = y", "print(z)"]))
    found = extract(notebook.read(path))
    (problem,) = found.problems
    assert problem.where == "cell 2"
    assert 2 in found.flow.slice(["z"])
    assert [cell for step in found.plan.steps for cell in step.cells] == [1, 2, 3, 4]
    with pytest.raises(NotebookError, match="cell 2"):
        exports.export_steps(path, tmp_path / "out.py")
    assert not (tmp_path / "out.py").exists()


@pytest.mark.parametrize("depth", [20, 50, 90])
def test_usual_depths_are_understood(depth: int) -> None:
    for text in ("y = 1" + " + x" * depth, "y = x" + ".a(1)" * (depth // 2)):
        assert parsed.of(text)[2] == ""


def test_the_deepest_tree_that_is_taken_breaks_nothing(tmp_path: Path) -> None:
    """From below many frames, as in a server: the limit leaves room for what walks a tree."""
    depth = next(d for d in range(200, 0, -1) if not parsed.of(_chain(d))[2])
    assert depth > 50
    path = written(
        tmp_path, dumped(made([code("x = f = 1"), tagged(["parameters"], _chain(depth))]))
    )

    def below(frames: int) -> None:
        if frames:
            return below(frames - 1)
        with tempfile.TemporaryDirectory() as folder:
            extract(notebook.read(path))
            exports.export_steps(path, Path(folder) / "out.py")
            exports.export_steps(path, Path(folder) / "out")
            exports.slice_names(path, ["y"], Path(folder) / "slice.py")
        return None

    below(150)


def _chain(depth: int) -> str:
    return "y = " + "f(-" * (depth // 2) + "x" + ")" * (depth // 2)


def test_functions_that_call_each_other_deeply(tmp_path: Path) -> None:
    def body(i: int) -> str:
        return f"def f{i}(a):\n    return " + "g(" * 50 + f"f{i - 1}(a)" + ")" * 50

    texts = ["def g(a): return a\ndef f0(a): return a", *(body(i) for i in range(1, 60))]
    path = written(tmp_path, of_texts(["old = [1]", *texts, "x = f59(old)", "print(x, old)"]))
    flow = dataflow.analyze(notebook.read(path).cells)
    assert "its functions call each other too deeply" in flow.flow(62).notes
    assert flow.slice(["x"]) == list(range(1, 63))
    assert 62 in flow.flow(63).uses["old"]


def test_methods_that_call_each_other_through_many_classes() -> None:
    """What each call that is not followed gives was an object of its own: a minute for these."""
    cells = ["class K0:\n    def m(self): return 1"]
    cells += [
        f"class K{n}(K{n - 1}):\n    def m(self):\n        return super().m()"
        for n in range(1, 200)
    ]
    cells.append("x = K199().m()")
    every = [notebook.Cell(n, n + 1, text, frozenset()) for n, text in enumerate(cells)]
    flow = dataflow.analyze(every)
    assert 200 in flow.slice(["x"])
    assert len(reach(flow.world.names["x"].value.objs)) < 1000


def test_a_number_that_python_does_not_write(tmp_path: Path) -> None:
    path = written(tmp_path, of_texts(["n = 0x" + "f" * 9000, "print(n)"]))
    (problem,) = extract(notebook.read(path)).problems
    assert "more digits than Python writes" in problem.sentence()


@pytest.mark.parametrize("version", ["99.1.0", "3.1.0", "x", 3, None])
def test_syntax_of_a_newer_python_is_told_as_such(tmp_path: Path, version: Any) -> None:
    metadata = {**KERNEL, "language_info": {"name": "python", "version": version}}
    path = written(tmp_path, dumped(made([code("x = = 1")], metadata=metadata)))
    (problem,) = extract(notebook.read(path)).problems
    newer = "Use jupyter mlops with Python 99.1" in problem.sentence()
    assert newer == (version == "99.1.0")
    assert "not valid Python" in problem.sentence()


# --- magics and modules ---------------------------------------------------------------------
def test_what_python_warns_of_in_the_code_is_not_said(tmp_path: Path) -> None:
    """From Python 3.12 on, each of these is a line on the terminal of whoever analyses."""
    cells = [code(text) for text in ("x = '$\\psi$'", "if x == 2:\n    x(1)[0]\n    y = 1[0]", "x")]
    content = dumped(made([tagged(["parameters"], "p = 'a'  # one of '\\d', 'a'"), *cells]))
    (tmp_path / "out").mkdir()
    outcome = look(written(tmp_path, content), tmp_path / "out")
    assert outcome.wrong == []
    assert outcome.doors["module"] == outcome.doors["folder cells"] == "result"


def test_what_ipython_cannot_even_transform() -> None:
    text, tree, why = parsed.of("if x:\n        y\n   %%bash\n z")
    assert why and tree.body == []
    assert text


def test_cells_that_are_python_only_apart(tmp_path: Path) -> None:
    path = written(tmp_path, of_texts(["x = 1", "global x\nx = 2", "print(x)"]))
    with pytest.raises(MlopsError, match="cannot become one module"):
        exports.export_steps(path, tmp_path / "out.py")
    assert list(tmp_path.iterdir()) == [path]
    exports.export_steps(path, tmp_path / "out")


def test_a_module_too_deep_for_functions_is_written_flat(tmp_path: Path) -> None:
    lines = [f"{' ' * i}if x:" for i in range(99)]
    path = written(tmp_path, of_texts(["x = 1", "\n".join([*lines, " " * 99 + "y = x"])]))
    exports.export_steps(path, tmp_path / "out.py")
    text = (tmp_path / "out.py").read_text(encoding="utf-8")
    assert "Its cells stand in order, not in functions" in text
    ast.parse(text)


def test_nbconvert_gets_a_sentence(tmp_path: Path) -> None:
    node = nbformat.from_dict(made([tagged("no list", "y = 1")]))
    with pytest.raises(ConversionException, match="is damaged"):
        MlopsPipelineExporter().from_notebook_node(node)


def test_a_folder_that_cannot_be_written_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jupyter_mlops.pipeline.export.folder._copy_handover", full)
    path = written(tmp_path, of_texts(["x = 1"]))
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises(NotebookError, match="No space left"):
            exports.export_steps(path, tmp_path / name)
    assert list((tmp_path / "empty").iterdir()) == []
    assert not (tmp_path / "new").exists()


# --- sizes ---------------------------------------------------------------------------------
def test_execution_counts_of_billions(tmp_path: Path) -> None:
    cells = [code("x = 1", execution_count=2), code("y = x", execution_count=2**62)]
    found = notebook.read(written(tmp_path, dumped(made(cells))))
    (sign,) = hidden.find(found, dataflow.analyze(found.cells))
    assert "execution counts 1, 3, 4, 5, 6, … are missing" in sign.problem


def test_thousands_of_steps_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, of_texts([f"# step: s{i}\nx = {i}" for i in range(1001)]))
    with pytest.raises(NotebookError, match="would have 1001 steps"):
        exports.export_steps(path, tmp_path / "out")
    assert exports.export_steps(path, tmp_path / "out", "none").steps


@pytest.mark.slow
def test_thousands_of_values_in_each_other_are_refused(tmp_path: Path) -> None:
    texts = ["x0 = []", *(f"x{i} = [x{i - 1}]" for i in range(1, 3000))]
    with pytest.raises(NotebookError, match="too entangled"):
        extract(notebook.read(written(tmp_path, of_texts(texts))))


def test_a_thousand_lines_of_parameters(tmp_path: Path) -> None:
    names = "\n".join(f"v{i} = {i}" for i in range(1000))
    path = written(tmp_path, dumped(made([tagged(["parameters"], names), code("print(v1)")])))
    assert len(extract(notebook.read(path)).found.parameters) == 1000


def test_a_million_empty_lines(tmp_path: Path) -> None:
    path = written(tmp_path, of_texts(["x = '''" + "\n" * 1_000_000 + "'''"]))
    assert json.loads(path.read_bytes())["cells"]
    assert not extract(notebook.read(path)).problems
