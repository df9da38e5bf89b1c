"""Files that one step makes and another reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.runtime.handover.models import HandoverError
from tests.runtime.handover.program import Program


def test_files_go_from_step_to_step(tmp_path: Path) -> None:
    program = Program(tmp_path, in_dot_csv="1")
    first = program.step(
        "x = open('in.csv').read()\nopen('out.txt', 'w').write(x + '2')",
        files_read=["in.csv"],
        state=["<file:out.txt>"],
    )
    assert list(first.files) == ["out.txt"]
    assert first.undeclared == []
    second = program.step(
        "with open('out.txt', 'a') as f:\n    f.write('3')", files_read=["out.txt"]
    )
    assert second.undeclared == ["<file:out.txt>"]
    program.step("shown = open('out.txt').read()", files_read=["out.txt"])
    assert program["shown"] == "123"
    removed = program.step("import os\nos.remove('out.txt')", files_read=["out.txt"])
    assert removed.removed_files == ["out.txt"]
    program.step("import os\nshown = os.path.exists('out.txt')", files_read=["*"])
    assert program["shown"] is False
    assert (program.beside / "in.csv").read_text() == "1"


def test_a_file_that_was_only_read_is_not_handed_on(tmp_path: Path) -> None:
    program = Program(tmp_path, in_dot_csv="1")
    program.step("open('a', 'w').write('x')")
    committed = program.step("open('in.csv').read(); open('a').read()", files_read=["*"])
    assert committed.files == {}


def test_undeclared_reading_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path, in_dot_csv="1", other_dot_csv="2")
    program.step("open('made', 'w').write('x')", state=["<files>"])
    source = (
        "from pathlib import Path\n"
        "for name in ('in.csv', 'made', 'never'):\n"
        "    try:\n        open(name)\n    except FileNotFoundError:\n        pass\n"
        f"Path({str(program.beside)!r}, 'other.csv').read_text()\n"
    )
    assert program.step(source).undeclared == ["<file:in.csv>", "<file:made>", "<file:other.csv>"]


def test_appending_to_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.step("open('log', 'w').write('x')", state=["<files>"])
    committed = program.step("open('log', 'a').write('y')", state=["<files>"])
    assert "<file:log>" in committed.undeclared


def test_a_file_that_the_step_itself_wrote_is_its_own(tmp_path: Path) -> None:
    program = Program(tmp_path)
    source = "open('log', 'w').write('y')\nshown = open('log').read()"
    assert program.step(source, state=["<file:log>"]).undeclared == []


def test_listing_a_folder_is_told_where_it_would_show_more(tmp_path: Path) -> None:
    program = Program(tmp_path, in_dot_csv="1")
    source = "import os\nshown = os.listdir('.')"
    assert program.step(source).undeclared == ["<files>"]
    assert program.step(source, files_read=["*"]).undeclared == []
    assert program["shown"] == ["in.csv"]


def test_folders_and_patterns(tmp_path: Path) -> None:
    program = Program(tmp_path)
    (program.beside / "data" / "deep").mkdir(parents=True)
    for name in ("a.csv", "b.csv", "deep/c.csv", "no.txt"):
        (program.beside / "data" / name).write_text(name)
    (program.beside / ".git").mkdir()
    (program.beside / ".git" / "x").write_text("")
    (program.beside / "n.ipynb").write_text("")
    listing = "import glob\nshown = sorted(glob.glob('**', recursive=True))"
    program.step(listing, files_read=["data/*.csv"])
    assert program["shown"] == ["data", "data/a.csv", "data/b.csv"]
    program.step(listing, files_read=["data/deep"])
    assert program["shown"] == ["data", "data/deep", "data/deep/c.csv"]
    program.step(listing + "\nimport os\nos.makedirs('out/x')", files_read=["*"])
    assert "n.ipynb" not in program["shown"]
    assert len(program["shown"]) == 6
    program.step("open('out/x/y', 'w').write('1')")
    program.step("shown = open('out/x/y').read()", files_read=["out"])
    assert program["shown"] == "1"


def test_files_outside_and_too_big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_mlops.runtime.handover import files

    monkeypatch.setattr(files, "MAX_SIZE", 3)
    program = Program(tmp_path, big_dot_csv="12345")
    committed = program.step("", files_read=["*", "../x.csv"])
    assert [(p.name, p.reason) for p in committed.problems] == [
        ("<file:big.csv>", "It is bigger than 1 GB; name it in the code to have it copied."),
        ("<file:../x.csv>", "It lies outside of the notebook's folder."),
    ]


def test_a_file_that_was_altered_is_refused(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.step("open('a', 'w').write('x')")
    (Path(program.before[0]) / "files" / "a").write_text("y")
    with pytest.raises(HandoverError, match="the file a is not what was committed"):
        program.step("", files_read=["a"])
