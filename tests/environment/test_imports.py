from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.environment import imports
from tests.notebooks import make


def found(tmp_path: Path, *cells: str) -> imports.Imports:
    source = notebook.read(make(tmp_path / "n.ipynb", cells))
    return imports.find([(c.number, c.source, c.tree) for c in source.cells], tmp_path)


def names(tmp_path: Path, *cells: str) -> set[str]:
    return {item.module for item in found(tmp_path, *cells).modules}


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import a.b as c", "a.b"),
        ("from a import b", "a.b"),
        ("from a import *", "a"),
        ("def f():\n    import a", "a"),
        ("if x:\n    import a", "a"),
        ("import importlib\nimportlib.import_module('a')", "a"),
        ("%load_ext a", "a"),
        ("%matplotlib inline", "matplotlib"),
        ("%%time\nimport a", "a"),
        ("!ls\nimport a", "a"),
        ("try:\n    pass\nexcept ImportError:\n    import a", "a"),
    ],
)
def test_every_way_to_import(tmp_path: Path, source: str, module: str) -> None:
    assert module in names(tmp_path, source)


def test_cells_are_named_and_broken_cells_do_not_hide_others(tmp_path: Path) -> None:
    modules = found(tmp_path, "import a", "import (", "import a, b").modules
    assert {item.module: item.cells for item in modules} == {"a": [1, 3], "b": [3]}


def test_guarded_only_when_every_import_is(tmp_path: Path) -> None:
    guarded = "try:\n    import a\nexcept ImportError:\n    a = None"
    assert found(tmp_path, guarded).modules[0].guarded
    assert not found(tmp_path, guarded, "import a").modules[0].guarded
    assert (
        not found(tmp_path, "try:\n    import a\nexcept ValueError:\n    pass").modules[0].guarded
    )


def test_local_modules_are_followed_not_looked_up(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text("import numpy\nimport package.deep\nimport tools")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "deep.py").write_text("import yaml\nfrom . import other")
    result = found(tmp_path, "import tools")
    assert {item.module for item in result.modules} == {"numpy", "yaml"}
    assert [path.as_posix() for path in result.local] == [
        "package/__init__.py",
        "package/deep.py",
        "tools.py",
    ]


def test_our_own_package_is_not_a_dependency(tmp_path: Path) -> None:
    assert names(tmp_path, "%load_ext jupyter_mlops\nimport jupyter_mlops") == set()


def test_links_beside_the_notebook_are_beside_it(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "tools.py").write_text("import yaml")
    real = tmp_path / "real"
    real.mkdir()
    folder = tmp_path / "link"
    folder.symlink_to(real)
    (folder / "tools.py").symlink_to(tmp_path / "lib" / "tools.py")
    (folder / "sub").mkdir()
    (folder / "sub" / "more.py").write_text("import numpy")
    result = found(folder, f"import sys\nsys.path.append('{real / 'sub'}')\nimport tools, more")
    assert {item.module for item in result.modules} == {"sys", "yaml", "numpy"}
    assert [path.as_posix() for path in result.local] == ["sub/more.py", "tools.py"]
    assert not result.problems


def test_thousands_of_imports_are_no_burden(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"m{number}.py").write_text(f"import m{number + 1}, json")
    result = found(tmp_path, "import m0")
    assert len(result.local) == 300
    assert {item.module for item in result.modules} == {"json", "m300"}
