"""Compiled modules: the same bytes anywhere, and what cannot be compiled is left out."""

from __future__ import annotations

import marshal
import os
import sys
from pathlib import Path

import pytest

from jupyter_mlops.image.compiled import compile_modules

SOURCE = "NAMES = {'a', 'b', 'c%d'}\n\ndef f(x):\n    return x in {'p', 'q', 'r'} or __name__\n"


def sources(folder: Path) -> list[tuple[str, str]]:
    """Write some modules; return each with its place in the image."""
    folder.mkdir()
    for number in range(9):
        (folder / f"m{number}.py").write_text(SOURCE % number)
    (folder / "m4.py").write_text("def broken(:\n")
    return [(str(path), f"site/pkg/{path.name}") for path in folder.glob("*.py")]


def test_the_same_bytes_whatever_the_folder_the_seed_and_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name, seed, cores in (("a", "0", 1), ("b", "42", 64)):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        cache = tmp_path / f"cache-{name}"
        paths = compile_modules(sources(tmp_path / name), Path(sys.executable), cache)
        found.append({path: (cache / path).read_bytes() for path in paths})
    assert found[0] == found[1] and len(found[0]) == 8
    tag = sys.implementation.cache_tag
    assert f"site/pkg/__pycache__/m0.{tag}.pyc" in found[0]
    assert not any("m4" in path for path in found[0]), "it cannot be compiled"
    code = marshal.loads(found[0][f"site/pkg/__pycache__/m0.{tag}.pyc"][16:])
    assert code.co_filename == "/opt/mlops/site/pkg/m0.py", "where it stands in the image"
