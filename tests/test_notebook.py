from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops import notebook
from jupyter_mlops.errors import NotebookError
from tests.notebooks import KERNEL, make

VALID = {"nbformat": 4, "nbformat_minor": 5, "metadata": KERNEL, "cells": []}


def refused(path: Path) -> str:
    with pytest.raises(NotebookError) as caught:
        notebook.read(path)
    return str(caught.value)


def test_reads_cells_tags_kernel_title(tmp_path: Path) -> None:
    path = make(
        tmp_path / "My Model_2.ipynb",
        [
            ("markdown", "# Rain\n\nIt rains.\nA lot."),
            ("parameters", "a = 1"),
            ("markdown", "x"),
            "b = a",
        ],
    )
    found = notebook.read(path)
    assert found.name == "my-model-2"
    assert found.title == "Rain"
    assert found.description == "It rains. A lot."
    assert found.kernel_name == "python3"
    assert [(c.index, c.number) for c in found.cells] == [(1, 1), (3, 2)]
    assert [c.number for c in found.tagged("parameters")] == [1]


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%%time\nx = 1", "x = 1"),
        ("%%bash\nrm -rf x", ""),
        ("!ls", "get_ipython().system('ls')"),
        ("%matplotlib inline", "get_ipython().run_line_magic('matplotlib', 'inline')"),
        ("x = !ls", "x = get_ipython().getoutput('ls')"),
    ],
)
def test_magics_become_python(source: str, python: str) -> None:
    cell = notebook.Cell(0, 1, source, frozenset())
    assert cell.python.strip() == python
    assert not cell.syntax_error


def test_a_broken_cell_says_why() -> None:
    cell = notebook.Cell(0, 1, "def f(:\n  pass", frozenset())
    assert "line 1" in cell.syntax_error
    assert cell.tree.body == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b'{"nbformat": 4, "cells": [{"cell_ty', "cut off"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[1, 2]", "not a notebook"),
        (b'{"a": 1}', "no 'nbformat' field"),
        (json.dumps({**VALID, "nbformat": 3, "worksheets": []}).encode(), "format 3"),
        (json.dumps({**VALID, "cells": [{"cell_type": "code"}]}).encode(), "damaged"),
        (json.dumps({**VALID, "cells": 7}).encode(), "damaged"),
        (json.dumps(VALID).encode(), "no code"),
        (json.dumps({**VALID, "metadata": {}}).encode(), "no kernel"),
        (
            json.dumps(
                {
                    **VALID,
                    "metadata": {
                        "kernelspec": {"name": "ir", "display_name": "R", "language": "R"}
                    },
                }
            ).encode(),
            "written in R",
        ),
    ],
)
def test_bad_files_get_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_bytes(content)
    text = refused(path)
    assert said in text
    assert "bad.ipynb" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("language", ["python", "Python 3", "python3", "ipython3", "python3.11"])
def test_every_way_to_write_python_is_python(tmp_path: Path, language: str) -> None:
    kernel = {"name": "python3", "display_name": "Python", "language": language}
    path = make(tmp_path / "a.ipynb", ["x = 1"], metadata={"kernelspec": kernel})
    assert len(notebook.read(path).cells) == 1


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.ipynb")
    assert "folder" in refused(tmp_path)


def test_all_problems_at_once(tmp_path: Path) -> None:
    path = make(tmp_path / "two.ipynb", [("markdown", "only text")], metadata={})
    text = refused(path)
    assert "no kernel" in text and "no code" in text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "nbformat",
                    "nbformat_minor",
                    "cells",
                    "metadata",
                    "cell_type",
                    "source",
                    "outputs",
                ]
            ),
            children,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values, st.booleans())
def test_any_json_gives_a_notebook_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, value: object, as_notebook: bool
) -> None:
    if as_notebook:
        value = {**VALID, "cells": value}
    path = tmp_path_factory.mktemp("any") / "any.ipynb"
    path.write_text(json.dumps(value))
    try:
        notebook.read(path)
    except NotebookError as error:
        assert all(problem.problem for problem in error.problems)
