"""Describes the environment of the interpreter that runs it. Standard library only.

Run as a script by the interpreter of the user's kernel, where this package need not exist:
reads ``{"modules": ["a.b", …], "path": […]}`` as JSON from standard input and writes JSON.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from pathlib import PurePosixPath


def describe(modules: list[str]) -> dict[str, object]:
    """Return the interpreter, its distributions, and which of them hold the given modules."""
    distributions: dict[str, dict[str, object]] = {}
    owners: dict[str, set[str]] = {}
    wanted = {module: tuple(module.split(".")) for module in modules}
    tops = {parts[0] for parts in wanted.values()}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if not name or name in distributions:
            continue
        distributions[name] = {"version": distribution.version, "origin": _origin(distribution)}
        for parts in _modules(distribution, tops):
            owners.setdefault(".".join(parts), set()).add(name)
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
        "executable": sys.executable,
        "stdlib": sorted(sys.stdlib_module_names),
        "builtin": sorted(sys.builtin_module_names),
        "distributions": distributions,
        "owners": {module: _owners(parts, owners) for module, parts in wanted.items()},
    }


def _origin(distribution: metadata.Distribution) -> str:
    """Return where a distribution was installed from, if not from an index."""
    try:
        text = distribution.read_text("direct_url.json")
        if not text:
            return ""
        found = json.loads(text)
        kind = "editable" if found.get("dir_info", {}).get("editable") else "direct"
        return "vcs" if "vcs_info" in found else kind
    except (OSError, ValueError, AttributeError):
        return ""


def _modules(distribution: metadata.Distribution, tops: set[str]) -> list[tuple[str, ...]]:
    """Return the modules below the wanted top-level names that a distribution's files make."""
    found = set()
    for file in distribution.files or []:
        parts = PurePosixPath(str(file)).parts
        stem = parts[-1].split(".")[0]
        if parts[-1].endswith((".py", ".so", ".pyd", ".pyi")):
            dotted = parts[:-1] if stem == "__init__" else (*parts[:-1], stem)
            if dotted and dotted[0] in tops:
                found.add(dotted)
    if not found:
        listed = (distribution.read_text("top_level.txt") or "").split()
        found.update((name,) for name in listed if name in tops)
    return sorted(found)


def _owners(parts: tuple[str, ...], owners: dict[str, set[str]]) -> list[str]:
    """Return the distributions that hold a module, by its longest known prefix."""
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length])
        if prefix in owners:
            return sorted(owners[prefix])
    below = parts[0] + "."
    return sorted(
        {name for module, names in owners.items() if module.startswith(below) for name in names}
    )


if __name__ == "__main__":
    request = json.load(sys.stdin)
    json.dump(describe(request["modules"]), sys.stdout)
