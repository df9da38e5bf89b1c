from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.environment import distributions, imports, kernel
from jupyter_mlops.environment.imports import Import
from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.errors import LockError
from tests.notebooks import make

PLAIN = Interpreter(
    python="3.11.7",
    system="Linux",
    machine="x86_64",
    stdlib=frozenset({"os"}),
    versions={"scikit-learn": "1.5", "google-cloud-storage": "2.0", "a": "1", "a-extra": "1"},
    origins={"a": "editable"},
)


def resolve(item: Import, owners: list[str]) -> distributions.Resolved:
    interpreter = replace(PLAIN, owners={item.module: owners})
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


def test_absent_guarded_imports_stay_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "_mapping", lambda: {"cupy": "cupy"})
    assert resolve(Import("cupy", [1], guarded=True), []) == distributions.Resolved([], [])


def test_the_mapping_names_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "_mapping", lambda: {"cv2": "opencv-python"})
    (found,) = resolve(Import("cv2", [1], guarded=False), []).dependencies
    assert (found.name, found.version, found.source) == ("opencv-python", "", "mapping")


def test_nobody_provides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "_mapping", dict)
    (problem,) = resolve(Import("nowhere.deep", [3], guarded=False), []).problems
    assert "No distribution provides the module 'nowhere'" in problem.problem
    assert problem.where == "cell 3" and problem.remedy


def test_several_owners_are_a_question_unless_one_has_the_name() -> None:
    ambiguous = resolve(Import("x", [1], guarded=False), ["a-extra", "scikit-learn"])
    assert "several" in ambiguous.problems[0].problem and not ambiguous.dependencies
    named = resolve(Import("a_extra", [1], guarded=False), ["a-extra", "scikit-learn"])
    assert [d.name for d in named.dependencies] == ["a-extra"]


def test_editable_installs_are_said() -> None:
    assert "editable" in resolve(Import("a", [1], guarded=False), ["a"]).problems[0].problem


def test_the_probe_reads_a_real_interpreter(tmp_path: Path) -> None:
    found = kernel.find("python3", "n.ipynb")
    interpreter = kernel.probe(found, ["sklearn.ensemble", "yaml", "matplotlib.pyplot", "no.such"])
    assert interpreter.owners == {
        "sklearn.ensemble": ["scikit-learn"],
        "yaml": ["PyYAML"],
        "matplotlib.pyplot": ["matplotlib"],
        "no.such": [],
    }
    assert interpreter.versions["scikit-learn"]
    assert {"os", "sys"} <= interpreter.stdlib


def test_unknown_kernel_names_the_known_ones() -> None:
    with pytest.raises(LockError) as caught:
        kernel.find("julia-9", "n.ipynb")
    assert "julia-9" in str(caught.value) and "python3" in str(caught.value)


def test_a_kernel_whose_interpreter_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "kernels" / "gone"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(
        '{"argv": ["/no/such/python", "-m", "x"], "display_name": "Gone", "language": "python"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with pytest.raises(LockError, match="interpreter of the kernel 'gone' is gone"):
        kernel.find("gone", "n.ipynb")


@pytest.mark.network
def test_pipreqs_table_is_fetched_by_hash() -> None:
    assert distributions._mapping()["yaml"] == "PyYAML"


def test_imports_of_a_notebook_resolve_in_its_kernel(tmp_path: Path) -> None:
    source = notebook.read(make(tmp_path / "n.ipynb", ["import numpy as np\nimport json"]))
    cells = [(c.number, c.source, c.tree) for c in source.cells]
    modules = imports.find(cells, tmp_path).modules
    interpreter = kernel.probe(kernel.find("python3", ""), [m.module for m in modules])
    assert [d.name for d in distributions.resolve(modules, interpreter).dependencies] == ["numpy"]
