"""Captures the live objects of the kernel that executes it. Standard library only.

Sent as text to a kernel in which this package need not exist. What capturing imports beyond what
the kernel has (``ASK["site"]``, made from the lock of this very kernel) stands last on the search
path, so that the kernel's own packages come first; afterwards the kernel is as it was: search
path, modules and names. Writes ``ASK["answer"]``, a JSON object, in any case.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

ASK: dict[str, Any] = globals().get("ASK") or {}
OURS = "jupyter_mlops"


def answer() -> dict[str, Any]:
    """Return what is to be told: the problem, or what the kernel knows of the notebook."""
    problem = wrong_kernel()
    if problem:
        return {"problem": problem}
    shell = importlib.import_module("IPython").get_ipython()
    told = {"not_run": not_run(shell), "differs": differing(shell.user_ns)}
    try:
        capture(shell.user_ns)
    except BaseException as error:
        tail = traceback.format_exc().strip().splitlines()[-3:]
        return {"problem": f"{type(error).__name__}: {error}", "tail": tail}
    return told


def wrong_kernel() -> str:
    """Say why this is not the kernel that the lock was made for; empty if it is."""
    here = ".".join(map(str, sys.version_info[:2]))
    if here != ASK["python"]:
        return f"It runs Python {here}, and the notebook's kernel has {ASK['python']}."
    expected = Path(ASK["executable"]).absolute()
    prefix = expected.parent.parent
    if (
        Path(sys.executable).absolute() == expected
        or Path(sys.prefix).resolve() == prefix.resolve()
    ):
        return ""
    return f"It runs in {sys.prefix}, and the kernel that the notebook names in {prefix}."


def not_run(shell: Any) -> list[int]:
    """Return the cells whose text, as it stands now, this kernel has not executed."""
    ran = {text.strip() for text in shell.history_manager.input_hist_raw}
    return [number for number, text in ASK["cells"] if text.strip() and text.strip() not in ran]


def differing(names: dict[str, Any]) -> list[str]:
    """Return the parameters that have another value here than in the notebook's text."""
    found = []
    for name, expected in ASK["parameters"].items():
        try:
            same = json.loads(json.dumps(names.get(name))) == expected
        except (TypeError, ValueError):
            continue  # no plain value: it cannot be held against a text
        if not same:
            found.append(name)
    return found


def capture(names: dict[str, Any]) -> None:
    """Capture as a verified run does at its end, and leave the kernel as it was."""
    path, before = list(sys.path), dict(sys.modules)
    for name in list(sys.modules):
        if name.partition(".")[0] == OURS:
            del sys.modules[name]  # the kernel's own may be another version
    sys.path.insert(0, ASK["lib"])
    sys.path.append(ASK["site"])
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(f"{OURS}.runtime.kernel_capture")
        module.capture(names, ASK["request"], ASK["directory"])
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            ours = name.partition(".")[0] == OURS
            if ours or (name not in before and is_lent(module)):
                del sys.modules[name]
        sys.modules.update({n: m for n, m in before.items() if n.partition(".")[0] == OURS})
        importlib.invalidate_caches()


def is_lent(module: Any) -> bool:
    """Tell whether a module comes from what was added to the search path."""
    # A namespace package has folders only.
    places = [getattr(module, "__file__", None), *(getattr(module, "__path__", None) or ())]
    return any(str(place).startswith(f"{ASK['site']}/") for place in places)


def main() -> None:
    """Write the answer, whole."""
    target = Path(ASK["answer"])
    unfinished = target.with_suffix(".part")
    unfinished.write_text(json.dumps(answer()))
    unfinished.replace(target)


if ASK:
    main()
