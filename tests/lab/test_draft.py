"""The door for what is being typed: the text's part of an analysis, and nothing but text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_mlops.analyze import analyze
from jupyter_mlops.environment import kernel
from jupyter_mlops.lab import handlers
from tests.lab.conftest import Ask
from tests.notebooks import KERNEL

CELLS = ("n = 2  # how many", "# step: make\nvalues = [1] * n", "# step: add\ntotal = sum(values)")


def _content(*sources: str, counts: tuple[int | None, ...] = ()) -> dict[str, Any]:
    cells = [new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    for cell, count in zip(cells, counts, strict=False):
        cell.execution_count = count
    cells[0].metadata["tags"] = ["parameters"]
    content: dict[str, Any] = json.loads(json.dumps(new_notebook(cells=cells, metadata=KERNEL)))
    return content


@pytest.fixture
def saved(jp_root_dir: Path) -> Path:
    file = jp_root_dir / "a.ipynb"
    file.write_text(json.dumps(_content(*CELLS)))
    return file


async def _draft(ask: Ask, content: Any, path: str = "a.ipynb") -> tuple[int, Any]:
    return await ask("draft", method="POST", body={"path": path, "content": content})


async def test_a_draft_is_what_the_saved_notebook_would_be(
    jp_serverapp: Any, ask: Ask, saved: Path
) -> None:
    before = saved.read_bytes()
    typed = _content(*CELLS, "# step: show\nprint(total)", counts=(1, 3, 2, None))
    status, draft = await _draft(ask, typed)
    assert status == 200
    assert [step["name"] for step in draft["steps"]] == ["make", "add", "show"]
    assert "add" in draft["steps"][2]["after"]
    assert draft["reached"] == {"n": [2, 3, 4]}
    assert [found["kind"] for found in draft["hidden_state"]] == ["order"]
    assert draft["unreadable"] == []
    assert saved.read_bytes() == before

    saved.write_text(json.dumps(typed))
    status, analysis = await ask("analysis", path="a.ipynb")
    assert status == 200
    same = set(draft) - {"unreadable"}
    assert {key: draft[key] for key in same} == {key: analysis[key] for key in same}
    assert draft["service_code"]["kind"] == "none"


async def test_the_code_of_the_service_follows_typing(
    jp_serverapp: Any, ask: Ask, saved: Path
) -> None:
    predict = "def predict(rows):\n    return [total + row for row in rows]"
    status, draft = await _draft(ask, _content(*CELLS, predict))
    assert status == 200
    code = draft["service_code"]
    assert code == {
        "kind": "function",
        "function": "predict",
        "call": "predict(rows)",
        "source": code["source"],
        "captured": ["total"],
        "cells": [4],
        "model": "",
    }
    assert code["source"].endswith(f"# cell 4\n{predict}\n")

    saved.write_text(json.dumps(_content(*CELLS, predict)))
    assert (await ask("analysis", path="a.ipynb"))[1]["service_code"] == code


async def test_no_kernel_is_asked(
    jp_serverapp: Any, ask: Ask, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(*_: Any) -> None:
        raise AssertionError("the kernel was asked")

    monkeypatch.setattr(kernel, "probe", probe)
    with pytest.raises(AssertionError):
        analyze(saved)
    assert (await _draft(ask, _content(*CELLS)))[0] == 200


async def test_a_half_typed_cell_is_named(jp_serverapp: Any, ask: Ask, saved: Path) -> None:
    status, draft = await _draft(ask, _content(CELLS[0], "values = [1", CELLS[2]))
    assert status == 200
    assert draft["unreadable"] == [2]
    assert [problem["where"] for problem in draft["problems"]] == ["cell 2"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"path": "a.ipynb", "content": {"nbformat": 3}}, "format 3"),
        ({"path": "a.ipynb", "content": []}, "not a notebook"),
        ({"path": "a.ipynb", "content": _content("")}, "no code"),
        ({"path": "a.ipynb"}, "not valid"),
        ({"path": 1, "content": {}}, "not valid"),
        ({"path": "a.ipynb", "content": {}, "kernel": "x"}, "not valid"),
        ("{", "not JSON"),
        ({"path": "../a.ipynb", "content": {}}, "root folder"),
    ],
)
async def test_what_is_not_a_notebook_gets_a_sentence(
    jp_serverapp: Any, ask: Ask, saved: Path, body: Any, says: str
) -> None:
    status, answer = await ask("draft", method="POST", body=body)
    assert status == 400
    assert says in f"{answer['problems'][0]}"


async def test_a_draft_of_a_file_that_is_not_there_is_a_404(jp_serverapp: Any, ask: Ask) -> None:
    assert (await _draft(ask, _content(*CELLS)))[0] == 404


async def test_a_huge_draft_is_not_looked_at(
    jp_serverapp: Any, ask: Ask, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "DRAFT_BYTES", 4000)
    assert (await _draft(ask, _content(*CELLS)))[0] == 200
    status, answer = await _draft(ask, _content(*CELLS, "#" * 4000))
    assert status == 413
    assert "Save the notebook" in answer["problems"][0]["remedy"]
