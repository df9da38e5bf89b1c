"""Words in a notebook beside which its functions must stay as they are.

A compiler, or another process, does not run a function's lines where the tracer can see them,
and some of them refuse a line that is not the user's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WORDS = (
    r"numba|n?jit|jitclass|vectorize|guvectorize|cython|cppyy|pythran|taichi|triton|mypyc"
    r"|torch\.(?:jit|compile|fx|export|multiprocessing)|tensorflow|keras|jax|tvm|onnxscript"
    r"|dask|ray|pyspark|ipyparallel|mpi4py|multiprocessing|ProcessPoolExecutor|billiard|pathos"
    r"|os\.fork|dis\.\w+|bytecode|codetransformer|inspect\.getclosurevars|getclosurevars"
    r"|__code__|__globals__|co_\w+|settrace|setprofile|line_profiler|lprun|sympy\.utilities"
)
_PATTERN = re.compile(rf"(?<![\w.])(?:{WORDS})(?!\w)|\.(?:__code__|__globals__|co_\w+)(?!\w)")


def found(sources: Iterable[str]) -> list[str]:
    """Return the words, sorted, for which the functions of these sources are left alone."""
    return sorted({match.lstrip(".") for text in sources for match in _PATTERN.findall(text)})
