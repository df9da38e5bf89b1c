"""Checks a publication in its own environment: the golden rows must be answered exactly."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime import golden_rows, outside, predictor
from jupyter_mlops.runtime import publication as manifest


def check(root: Path) -> dict[str, Any]:
    """Load the predictor, answer the golden rows in every way, and compare them with the run's.

    What it takes from this machine and the image will not have is a mismatch, too.

    Returns ``{ok, compared, mismatches, modules}``; ``modules`` are the files imported by then.
    """
    compared = 0
    try:
        published = manifest.load(root)
        mismatches = []
        with outside.watched(root) as seen:
            loaded = predictor.load(root, published)
            golden = golden_rows.load(root) if loaded is not None else None
            if loaded is not None and golden is not None:
                compared = len(golden.inputs)
                mismatches = golden_rows.examined(loaded, golden)
        mismatches = seen.problems() or mismatches
    except predictor.LoadProblem as error:
        mismatches = [str(error)]
    except (OSError, ValueError) as error:
        mismatches = [f"{manifest.FILE_NAME} cannot be read: {error}"]
    return {
        "ok": not mismatches,
        "compared": compared,
        "mismatches": mismatches,
        "modules": _files(),
    }


def _files() -> list[str]:
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return sorted(file for file in files if isinstance(file, str))
