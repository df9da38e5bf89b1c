"""What a person asks of a publish beyond what the notebook's text says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from jupyter_mlops import live, shipping, signatures
from jupyter_mlops.analyze import Extracted
from jupyter_mlops.assemble import Asked
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import UsageError
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import declared
from jupyter_mlops.runtime import onnx as onnx_runtime

Verify = Literal["full", "none"]


def environment(options: LockOptions | None, onnx: bool) -> LockOptions | None:
    """Return how to lock: with ONNX Runtime where it may answer."""
    if not onnx:
        return options
    options = options or LockOptions()
    additions = dict.fromkeys([*options.additions, *onnx_runtime.PACKAGES])
    return msgspec.structs.replace(options, additions=list(additions))


def kernel(
    named: str | None,
    source: Notebook,
    values: Mapping[str, Any],
    platforms: Sequence[str],
    verify: Verify,
) -> live.Kernel | None:
    """Return the kernel to capture from, if one is named, where that makes sense."""
    if named is None:
        return None
    for given, what in (
        (values, "Parameters"),
        (len(platforms) > 1, "Several platforms"),
        (verify == "none", "--verify none"),
    ):
        if given:
            raise UsageError(
                f"{what} and --from-kernel do not go together",
                why="The objects of a live kernel are what they are, and nothing is run",
                remedy="Leave one of them out",
            )
    return live.find(named, source.path)


def wanted(
    source: Notebook,
    extracted: Extracted,
    model: str | None,
    captures: Sequence[str],
    ship_data: Sequence[str],
    verify: Verify,
    signature: Path | None,
    *,
    allow_pickle: bool = False,
) -> Asked:
    """Return what a person asks for, in the options and by ``%mlops_capture``."""
    along = shipping.find(source.path.parent, ship_data)
    given = dict.fromkeys(along.names, shipping.OPTION) | dict.fromkeys(captures, "--capture")
    if given and verify == "none":
        raise UsageError(
            f"Without a verified run nothing is captured, so {', '.join(given)} cannot be",
            remedy="Leave --verify none out",
        )
    problems = declared.undefined(given, extracted.flow)
    if problems:
        raise UsageError.collect(problems)
    chosen = signature or signatures.beside(source.path)
    if chosen is not None:
        signatures.read(chosen)  # what is wrong about it is said before anything runs
    return Asked(
        model=model,
        captures=given | extracted.declared,
        shipped=along.files,
        signature=chosen if verify != "none" else None,
        allow_pickle=allow_pickle,
    )
