"""Compiled modules: a container's root file system is read-only, and compiling is slow."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_mlops.image import contents

#: Always so many, whatever the machine: the bytes of a compiled module can depend on what the same
#: process compiled before it (marshal notes which objects are referred to more than once).
_PROCESSES = 4
_SECONDS = 600
_COMPILE = """
import json, py_compile, sys
from importlib.util import cache_from_source
from pathlib import Path
request = json.load(sys.stdin)
for source, place in request["files"]:
    target = Path(cache_from_source(f"{request['out']}/{place}"))
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        py_compile.compile(source, str(target), f"{request['root']}/{place}", doraise=True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    except py_compile.PyCompileError:
        pass
"""


def compile_modules(files: Sequence[tuple[str, str]], python: Path, cache: Path) -> list[str]:
    """Compile modules, each given as its source and its place below the publication's root.

    ``python`` is the interpreter that will import them. What it makes lies below ``cache``;
    returns its paths there, sorted. A module that cannot be compiled is left out.
    """
    ordered = sorted(files)

    def run(number: int) -> None:
        request = {"root": contents.ROOT, "out": str(cache), "files": ordered[number::_PROCESSES]}
        subprocess.run(
            [str(python), "-I", "-c", _COMPILE],
            input=json.dumps(request), text=True, check=True, timeout=_SECONDS,
        )  # fmt: skip

    cache.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(min(_PROCESSES, os.cpu_count() or 1)) as pool:
        list(pool.map(run, range(_PROCESSES)))
    return sorted(path.relative_to(cache).as_posix() for path in cache.rglob("*.pyc"))
