from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.environment import answers
from jupyter_mlops.errors import ConflictError, MlopsError, NotebookError
from tests.notebooks import make


def test_remembered_read_and_forgotten(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", ["import cv2  # ü"])
    before = path.read_bytes()
    answers.remember(path, "cv2", "opencv-python-headless")
    answers.remember(path, "google.cloud.x", "Google_Cloud-X")
    found = notebook.read(path)
    assert answers.of(found) == {
        "cv2": "opencv-python-headless",
        "google.cloud.x": "Google_Cloud-X",
    }
    answers.remember(path, "cv2", "")
    answers.remember(path, "google.cloud.x", "")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("end", ["", "\n"])
def test_the_rest_of_the_file_stays(
    tmp_path: Path, indent: int | str | None, plain: bool, end: str
) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 'ü'"])
    content = json.loads(path.read_text())
    content["metadata"] = {"z": 1, "kernelspec": content["metadata"]["kernelspec"], "a": 2}
    text = json.dumps(content, indent=indent, ensure_ascii=plain) + end
    path.write_text(text)
    path.chmod(0o640)
    answers.remember(path, "a", "b")
    assert '"distributions"' in path.read_text()
    answers.remember(path, "a", "")
    assert path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o640


def test_other_metadata_of_ours_stays(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    content = json.loads(path.read_text())
    content["metadata"]["jupyter_mlops"] = {"other": 1}
    path.write_text(json.dumps(content, indent=1))
    answers.remember(path, "a", "b")
    answers.remember(path, "a", "")
    assert json.loads(path.read_text())["metadata"]["jupyter_mlops"] == {"other": 1}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    link = tmp_path / "link.ipynb"
    link.symlink_to(path)
    answers.remember(link, "a", "b")
    assert link.is_symlink() and answers.of(notebook.read(path)) == {"a": "b"}


@pytest.mark.parametrize("module", ["", "a b", "a..b", "../x"])
def test_what_is_no_module(tmp_path: Path, module: str) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    with pytest.raises(MlopsError, match="no module's name"):
        answers.remember(path, module, "b")


@pytest.mark.parametrize("name", ["a b", "-r x", "a==1", "https://x", "ü"])
def test_what_is_no_distribution(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    with pytest.raises(MlopsError, match="no distribution's name"):
        answers.remember(path, "a", name)


@pytest.mark.parametrize("kept", [3, {"distributions": []}, {"distributions": {"a": 3, "b": "-"}}])
def test_odd_metadata_is_no_answer(tmp_path: Path, kept: object) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    content = json.loads(path.read_text())
    content["metadata"]["jupyter_mlops"] = kept
    path.write_text(json.dumps(content))
    assert answers.of(notebook.read(path)) == {}


def test_metadata_that_cannot_hold_it(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    content = json.loads(path.read_text())
    content["metadata"]["jupyter_mlops"] = [1]
    path.write_text(json.dumps(content))
    with pytest.raises(NotebookError, match="metadata is not an object"):
        answers.remember(path, "a", "b")


def test_somebody_saves_at_the_same_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    monkeypatch.setattr(answers.os, "fsync", lambda handle: path.write_text("{}"))
    with pytest.raises(ConflictError, match="saved by somebody else"):
        answers.remember(path, "a", "b")
    assert path.read_text() == "{}"
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(answers.os, "fsync", full)
    with pytest.raises(NotebookError, match="cannot be written") as caught:
        answers.remember(path, "a", "b")
    assert "No space left" in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]
