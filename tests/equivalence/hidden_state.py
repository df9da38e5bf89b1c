"""The state nobody names, as short texts: to see which cells touch it."""

from __future__ import annotations

import decimal
import hashlib
import locale
import logging
import os
import random
import sys
import warnings
from pathlib import Path

from .canonical import canonical

VOLATILE = {"IPYTHONDIR", "PYTEST_CURRENT_TEST"}


def state(home: Path) -> dict[str, str]:
    """Pseudo-name -> text of its value now; ``home`` is the notebook's folder."""
    found = {
        "<rng:python>": repr(random.getstate()),
        "<environ>": repr(sorted((k, v) for k, v in os.environ.items() if k not in VOLATILE)),
        "<cwd>": os.path.relpath(Path.cwd(), home),
        "<sys.path>": repr(sys.path),
        "<warnings>": repr(warnings.filters),
        "<decimal>": repr(decimal.getcontext()),
        "<locale>": repr(locale.setlocale(locale.LC_ALL)),
        "<logging>": _logging(),
    }
    found |= _packages()
    for file in sorted(home.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            found[f"<file:{file.relative_to(home)}>"] = hashlib.sha256(
                file.read_bytes()
            ).hexdigest()
    return {key: _short(value) for key, value in found.items()}


def _short(text: str) -> str:
    return text if len(text) < 80 else hashlib.sha256(text.encode()).hexdigest()[:24]


def _logging() -> str:
    loggers = [logging.getLogger(), *_named()]
    return repr(
        [(one.name, one.level, [type(h).__name__ for h in one.handlers]) for one in loggers]
    )


def _named() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict
    found = (known[name] for name in sorted(known))
    return [one for one in found if isinstance(one, logging.Logger) and one.level]


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    if "numpy" in sys.modules:
        import numpy

        found["<rng:numpy>"] = repr(numpy.random.get_state(legacy=False))
        found["<numpy options>"] = repr(sorted(numpy.get_printoptions().items(), key=str))
    if "pandas" in sys.modules:
        from pandas._config import config

        found["<pandas options>"] = repr(config._global_config)
    if "matplotlib.pyplot" in sys.modules:
        import matplotlib.pyplot

        found["<rcParams>"] = repr(dict(matplotlib.rcParams))
        numbers = matplotlib.pyplot.get_fignums()
        manager = matplotlib._pylab_helpers.Gcf  # type: ignore[attr-defined]
        figures = [canonical(manager.figs[number].canvas.figure) for number in numbers]
        found["<figure>"] = repr(figures)
    return found
