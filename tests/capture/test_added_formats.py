"""Formats that other packages add by entry point, and the pickle that no list holds."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.capture import code, formats
from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureRequest
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description
from jupyter_mlops.capture.store import load, save

GOOD = """
from jupyter_mlops.capture.protocol import Description, WithoutInputs

class Fraction(WithoutInputs):
    name, kind, extension = "fraction", "value", "frac"

    def matches(self, value):
        return type(value).__name__ == "Fraction"

    def save(self, value, path):
        path.write_text(str(value))

    def load(self, path):
        import fractions
        return fractions.Fraction(path.read_text())

    def describe(self, value):
        return Description(modules=["fractions"])

class Half:
    name = "half"

class Npy(Fraction):
    name = "npy"
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Install a distribution with entry points; ours are there as in every environment."""

    def install(**groups: str) -> None:
        (tmp_path / "adds_formats.py").write_text(GOOD)
        info = tmp_path / "adds_formats-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: adds-formats\nVersion: 1.2\n")
        text = "".join(
            f"[{formats.PREFIX}{group}]\n{entries}\n" for group, entries in groups.items()
        )
        (info / "entry_points.txt").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        formats.known.cache_clear()

    yield install
    formats.known.cache_clear()
    sys.modules.pop("adds_formats", None)


def test_a_format_of_another_package_keeps_its_values(installed: Any, tmp_path: Path) -> None:
    from fractions import Fraction

    installed(v1="fraction = adds_formats:Fraction")
    capture, modules = save("third", Fraction(1, 3), tmp_path)
    assert (capture.format, modules) == ("fraction", ["fractions"])
    assert load(capture, tmp_path) == Fraction(1, 3)
    assert formats.known().problems == ()


def test_what_does_not_work_is_told_and_nothing_else_suffers(
    installed: Any, tmp_path: Path
) -> None:
    installed(
        v1="broken = adds_formats_that_is_not_there:Any\nhalf = adds_formats:Half\n"
        "twice = adds_formats:Npy\nfraction = adds_formats:Fraction",
        v2="later = adds_formats:Fraction",
    )
    report = collect({"a": 1}, CaptureRequest(names=["a"]), tmp_path / "out")
    assert [capture.name for capture in report.captures] == ["a"]
    broken, fraction_of_v2, half, twice = (
        next(note for note in report.notes if f"format {name} of adds-formats 1.2" in note)
        for name in ("broken", "later", "half", "twice")
    )
    assert "ModuleNotFoundError" in broken
    assert "it is for jupyter_mlops.capture_formats.v2" in fraction_of_v2
    assert "it has no kind, extension, matches" in half
    assert "named 'npy' already" in twice
    assert [each.name for each in formats.known().formats].count("npy") == 1
    with pytest.raises(CannotLoad, match="package that adds it is missing"):
        formats.by_name("unheard-of")


def test_our_own_formats_are_the_same_with_and_without_metadata() -> None:
    root = Path(__file__).parents[2]
    declared = tomllib.loads((root / "pyproject.toml").read_text())
    group = declared["project"]["entry-points"][formats.GROUP]
    ours = {
        each.name: f"{type(each).__module__}:{type(each).__name__}" for each in formats.BUILT_IN
    }
    assert group == ours
    assert len(ours) == len(formats.BUILT_IN)


# Pickles


class Scale:
    def __init__(self, by: float) -> None:
        self.by = by


def test_a_pickle_only_when_it_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(CannotSave, match=r"no safe format.*--allow-pickle"):
        save("scale", Scale(2), tmp_path)
    capture, _ = save("scale", Scale(2), tmp_path, allow_pickle=True)
    assert (capture.format, capture.file.rpartition(".")[2]) == ("pickle", "pickle")
    assert load(capture, tmp_path).by == 2
    safe, _ = save("plain", [1, 2], tmp_path, allow_pickle=True)
    assert safe.format == "json"
    with pytest.raises(CannotSave, match="cannot be pickled"):
        save("lines", (each for each in ()), tmp_path, allow_pickle=True)
    with pytest.raises(CannotLoad):
        formats.by_name("pickle")


def test_a_pickle_finds_the_classes_of_the_notebook_in_the_code_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = sys.modules["__main__"]
    own = type("Own", (Scale,), {"__module__": "__main__"})
    monkeypatch.setattr(main, "Own", own, raising=False)
    request = CaptureRequest(
        names=["own"], class_names={"Own": ["rate"]}, allow_pickle=True, predict="predict"
    )
    namespace = {"own": own(3), "rate": 0.5, "predict": lambda rows: [1]}
    report = collect(namespace, request, tmp_path)
    assert [capture.name for capture in report.captures] == ["own", "rate"]
    assert report.captures[0].classes == ["__main__:Own"]
    assert "is a pickle: whoever loads it runs its code" in report.notes[0]
    monkeypatch.delattr(main, "Own")
    with pytest.raises(CannotLoad, match=r"needs __main__:Own, which is not in the code"):
        load(report.captures[0], tmp_path, {})
    assert type(load(report.captures[0], tmp_path, {"Own": own})) is own


def test_only_listed_classes_are_found() -> None:
    with pytest.raises(CannotLoad, match="the manifest does not list"):
        code.find("os:system")
    with code.using(["collections:OrderedDict"]):
        assert code.find("collections:OrderedDict").__name__ == "OrderedDict"
        with pytest.raises(CannotLoad):
            code.find("os:system")

    class Local:
        pass

    with pytest.raises(CannotSave, match="not found by its name"):
        code.name_of(Local)
    assert code.of_notebook(["__main__:Net.Inner", "torch:x", "__main__:A"]) == ["A", "Net"]
    assert Description().classes == []
