"""``-p name=value`` and ``-f FILE``."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import cli
from jupyter_mlops.errors import UsageError
from jupyter_mlops.pipeline.parameters import given
from tests.notebooks import make

YAML = """
rate: 1e-3
count: 010
word: yes
clock: 1:30
day: 2024-01-02
at: 2024-01-02T03:04:05Z
flag: true
nothing: ~
empty:
text: "1"
hex: 0x10
list: [1, .5, -3]
table: {a: 1, 2: b}
base: &base [1]
again: *base
"""


def test_yaml_is_read_as_it_looks(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(YAML)
    values, texts = given(["a=b=c", " n =1"], file)
    assert texts == {"a": "b=c", "n": "1"}
    assert values == {
        "rate": 0.001,
        "count": 10,
        "word": "yes",
        "clock": "1:30",
        "day": datetime.date(2024, 1, 2),
        "at": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
        "flag": True,
        "nothing": None,
        "empty": None,
        "text": "1",
        "hex": 16,
        "list": [1, 0.5, -3],
        "table": {"a": 1, 2: "b"},
        "base": [1],
        "again": [1],
    }


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_gives_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "p.yml"
    file.write_text(text)
    assert given([], file) == ({}, {})


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("p.yaml", b"a: [1", "not valid YAML"),
        ("p.yaml", b"a: 1\na: 2", "given twice"),
        ("p.yaml", b"a: 1\n---\nb: 2", "not valid YAML"),
        ("p.yaml", b"a: !!python/object/apply:os.system [ls]", "not valid YAML"),
        ("p.yaml", b"- 1", "mapping of names"),
        ("p.yaml", b"1: 2", "no name"),
        ("p.yaml", b"\xff\xfe", "UTF-8"),
        ("p.yaml", b"a: 2024-02-31", "not valid YAML"),
        ("p.json", b'{"a": 1', "not valid JSON"),
        ("p.json", b'{"a": 1, "a": 2}', "given twice"),
        ("p.json", b"[" * 100_000, "not valid JSON"),
        ("p.json", b"[]", "mapping of names"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        given([], file)
    assert word in str(raised.value) and name in str(raised.value)


def test_all_that_cannot_be_read_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        given(["x", "=1", "a=1"], tmp_path / "none.yaml")
    assert len(raised.value.problems) == 3


def test_mistakes_of_file_and_options_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "n = 1\nrate = 0.5  # 0..1\nlabel = 'a'"
    path = make(tmp_path / "n.ipynb", [("parameters", source), "print(n)"])
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"n": "many", "rate": 2, "label": 3, "other": 1}))
    command = ["publish", str(path), f"oci:{tmp_path / 'r'}", "-f", str(file)]
    assert cli.main([*command, "-p", "label=b", "-p", "more=1"]) == 4
    said = capsys.readouterr().err
    for word in (
        "n: 'many' is not",
        "rate: 2.0 is more",
        "other: there is no",
        "more: there is no",
    ):
        assert word in said
    assert "label:" not in said
    assert cli.main([*command[:3], "-f", str(tmp_path / "none.yaml")]) == 2


def test_analyze_shows_types_limits_and_candidates(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    path = make(tmp_path / "n.ipynb", ["a: list[int] = [1]  # layers", "print(a)\nn = 3\nf(x=n)"])
    assert cli.main(["analyze", str(path)]) == 0
    said = capsys.readouterr().out
    assert "a: list[int] = [1]  # layers" in said
    assert "candidate    n: int = 3  # cell 2 gives it to f(x=…)" in said
    path = make(tmp_path / "m.ipynb", [("parameters", "r = 0.5  # rate, 0..1\nn: int"), "r = 1"])
    assert cli.main(["analyze", str(path)]) == 0
    said = capsys.readouterr().out
    assert "r: float = 0.5  # 0..1; rate" in said and "n: int\n" in said
    assert "note         Cell 2 sets 'r' again" in said
    assert cli.main(["analyze", "--json", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["candidates"] == [] and found["notes"] and found["parameters"][1]["required"]
