from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.environment import distributions, imports, kernel, names
from jupyter_mlops.environment.imports import Import
from jupyter_mlops.environment.interpreter import Source
from jupyter_mlops.environment.kernel import Interpreter
from tests.notebooks import make

PLAIN = Interpreter(
    python="3.13.7",
    system="Linux",
    machine="x86_64",
    stdlib=frozenset({"os"}),
    versions={"scikit-learn": "1.5", "google-cloud-storage": "2.0", "a": "1", "a-extra": "1"},
    origins={"a": "editable"},
)


@pytest.fixture
def pipreqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[str, ...]]]:
    table: dict[str, tuple[str, ...]] = {"google": ("protobuf",)}
    monkeypatch.setattr(names, "pipreqs", lambda: table)
    yield table


def resolve(item: Import, owners: list[str]) -> distributions.Resolved:
    interpreter = replace(PLAIN, owners={item.module: owners} if owners else {})
    return distributions.resolve([item], interpreter)


def test_the_kernel_names_distribution_and_version() -> None:
    done = resolve(Import("sklearn.ensemble", [2], guarded=False), ["scikit-learn"])
    (found,) = done.dependencies
    assert (found.name, found.version, found.modules, found.cells) == (
        "scikit-learn",
        "1.5",
        ["sklearn"],
        [2],
    )


def test_standard_library_is_left_out() -> None:
    assert resolve(Import("os.path", [1], guarded=False), []).dependencies == []


def test_absent_guarded_imports_stay_absent(pipreqs: dict[str, tuple[str, ...]]) -> None:
    pipreqs["cupy"] = ("cupy",)
    assert resolve(Import("cupy", [1], guarded=True), []) == distributions.Resolved([], [])


def test_tables_name_what_is_not_installed_and_that_is_said(
    pipreqs: dict[str, tuple[str, ...]],
) -> None:
    pipreqs["faker"] = ("Faker",)
    for module, name in (("cv2", "opencv-python-headless"), ("faker", "Faker")):
        done = resolve(Import(module, [1], guarded=False), [])
        (found,) = done.dependencies
        assert (found.name, found.version, found.source) == (name, "", "mapping")
        assert f"'{module}' is not installed" in done.warnings[0].problem
        assert not done.problems


def test_pipreqs_names_with_several_distributions_are_a_question(
    pipreqs: dict[str, tuple[str, ...]],
) -> None:
    pipreqs["thing"] = ("thing-a", "thing-b")
    done = resolve(Import("thing", [1], guarded=False), [])
    assert not done.dependencies and done.questions[0].candidates == ["thing-a", "thing-b"]


def test_nobody_provides_it(pipreqs: dict[str, tuple[str, ...]]) -> None:
    done = resolve(Import("nowhere.deep", [3], guarded=False), [])
    (problem,) = done.problems
    assert "not known which distribution provides the module 'nowhere'" in problem.problem
    assert problem.where == "cell 3" and problem.remedy
    assert [(each.module, each.cells) for each in done.questions] == [("nowhere", [3])]


def test_several_owners_are_a_question_unless_one_has_the_name() -> None:
    ambiguous = resolve(Import("x", [1], guarded=False), ["a-extra", "scikit-learn"])
    assert ambiguous.questions[0].candidates == ["a-extra", "scikit-learn"]
    assert ambiguous.problems and not ambiguous.dependencies
    named = resolve(Import("a_extra", [1], guarded=False), ["a-extra", "scikit-learn"])
    assert [d.name for d in named.dependencies] == ["a-extra"]


def test_answers_come_first_and_only_for_what_they_name() -> None:
    interpreter = replace(PLAIN, owners={"x": ["a", "a-extra"], "y": ["a", "a-extra"]})
    modules = [Import("x.deep", [1], guarded=False), Import("y", [2], guarded=False)]
    done = distributions.resolve(modules, interpreter, answers={"x": "A_Extra"})
    (found,) = done.dependencies
    assert (found.name, found.version, found.source) == ("a-extra", "1", "user")
    assert [question.module for question in done.questions] == ["y"]


def test_modules_of_earlier_pythons(pipreqs: dict[str, tuple[str, ...]]) -> None:
    (problem,) = resolve(Import("imp", [1], guarded=False), []).problems
    assert "'imp' is no part of Python 3.13" in problem.problem and "3.11" in problem.why
    (found,) = resolve(Import("distutils.core", [1], guarded=False), []).dependencies
    assert found.name == "setuptools"


def test_modules_that_no_metadata_lists() -> None:
    loose = {"yaml": "/site", "cv2": "/site", "attr": "/site", "odd": "/site"}
    interpreter = replace(
        PLAIN,
        loose=loose,
        conda={"cv2": ["py-opencv", "4.9.0"], "odd": ["ffmpeg", "7"]},
        versions={**PLAIN.versions, "PyYAML": "6.0"},
    )
    modules = [Import(name, [1], guarded=False) for name in ("yaml", "cv2", "odd")]
    done = distributions.resolve(modules, interpreter)
    assert {d.name: d.version for d in done.dependencies} == {
        "PyYAML": "6.0",
        "opencv-python-headless": "4.9.0",
    }
    assert "taken for the module 'yaml' by its name only" in done.warnings[0].problem
    assert [question.module for question in done.questions] == ["odd"]


def test_editable_installs_are_refused_or_built(tmp_path: Path) -> None:
    item = Import("a", [1], guarded=False)
    assert "editable" in resolve(item, ["a"]).problems[0].problem

    def shipped(project: Path) -> distributions.Resolved:
        source = Source(kind="editable", url=project.as_uri())
        interpreter = replace(PLAIN, owners={"a": ["a"]}, sources={"a": source})
        return distributions.resolve([item], interpreter, ships_sources=True)

    assert "There is no pyproject.toml" in shipped(tmp_path).problems[0].why
    assert "It is gone" in shipped(tmp_path / "gone").problems[0].why
    (tmp_path / "setup.py").touch()
    done = shipped(tmp_path)
    assert not done.problems and done.dependencies[0].url == tmp_path.as_uri()


@pytest.mark.network
def test_pipreqs_table_is_fetched_by_hash() -> None:
    assert names.pipreqs()["yaml"] == ("PyYAML",)


def test_no_index_no_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    assert names.pipreqs() == {}
    assert names.providers("sklearn") == (("scikit-learn",), True)


def test_imports_of_a_notebook_resolve_in_its_kernel(tmp_path: Path) -> None:
    source = notebook.read(make(tmp_path / "n.ipynb", ["import numpy as np\nimport json"]))
    cells = [(c.number, c.source, c.tree) for c in source.cells]
    modules = imports.find(cells, tmp_path).modules
    interpreter = kernel.probe(kernel.find("python3", ""), [m.module for m in modules])
    assert [d.name for d in distributions.resolve(modules, interpreter).dependencies] == ["numpy"]
