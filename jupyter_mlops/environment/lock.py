"""Pin everything: what the kernel has now, its closure, and the hashes, as ``pylock.toml``."""

from __future__ import annotations

import hashlib
import re
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jupyter_mlops.environment import uv
from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.environment.models import Dependency, Lock, Package
from jupyter_mlops.errors import LockError, Problem
from jupyter_mlops.events import Log, OnEvent, ignore

# What the image itself needs beside the notebook's own imports (see runtime/).
RUNTIME = ["httptools", "ipykernel", "msgspec", "papermill", "starlette", "uvicorn", "uvloop"]
CAPTURE = {"scikit-learn": ["skops"]}
# glibc 2.28 is what every base image of ours and every wheel of today meets.
UV_PLATFORMS = {
    "linux/amd64": "x86_64-manylinux_2_28",
    "linux/arm64": "aarch64-manylinux_2_28",
}


def platform_of(interpreter: Interpreter) -> str:
    """Return the target platform that this interpreter can prove: its own, on Linux."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(interpreter.machine, "")
    if interpreter.system != "Linux" or not machine:
        raise LockError(
            f"A kernel on {interpreter.system} {interpreter.machine} cannot prove a Linux image",
            why="The verified run must use the very wheels that the image ships",
            remedy="Publish from Linux (x86-64 or arm64), for example from JupyterHub "
            "or a container",
        )
    return f"linux/{machine}"


def lock(
    dependencies: Sequence[Dependency],
    interpreter: Interpreter,
    *,
    on_event: OnEvent = ignore,
) -> Lock:
    """Lock the dependencies and what the image needs, for the kernel's Python and platform.

    Every distribution that the kernel has keeps its version; where those versions do not
    agree with each other, only the notebook's own imports keep theirs, and that is said.
    Raises ``LockError`` with uv's reason.
    """
    platform = platform_of(interpreter)
    direct = [f"{d.name}=={d.version}" if d.version else d.name for d in dependencies]
    names = {_normal(d.name) for d in dependencies}
    extra = [tool for name in sorted(names) for tool in CAPTURE.get(name, [])]
    requirements = [*direct, *extra, *RUNTIME]
    constraints = [
        f"{name}=={version}"
        for name, version in sorted(interpreter.versions.items())
        if name not in interpreter.origins and "+" not in version
    ]
    try:
        text = _compile(requirements, constraints, interpreter.minor, platform)
    except uv.Failed as first:
        try:
            text = _compile(requirements, [], interpreter.minor, platform)
        except uv.Failed as second:
            raise _explained(str(second), dependencies) from None
        on_event(
            Log(
                level="warning",
                text="The kernel's packages do not agree with each other; only those that the "
                f"notebook imports keep their version. uv says: {_short(str(first))}",
            )
        )
    return parse(text, interpreter.minor, platform)


def parse(text: str, python: str, platform: str) -> Lock:
    """Read a ``pylock.toml`` text into a ``Lock``."""
    content = tomllib.loads(text)
    packages = [
        Package(name=item["name"], version=item.get("version", ""), wheels=_wheels(item))
        for item in content.get("packages", [])
    ]
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Lock(text=text, sha256=digest, python=python, platform=platform, packages=packages)


def _compile(requirements: list[str], constraints: list[str], python: str, platform: str) -> str:
    with tempfile.TemporaryDirectory(prefix="mlops-lock-") as folder:
        asked = Path(folder) / "requirements.in"
        asked.write_text("\n".join(requirements) + "\n")
        bounds = Path(folder) / "constraints.txt"
        bounds.write_text("\n".join(constraints) + "\n")
        out = Path(folder) / "pylock.toml"
        uv.run(
            *("pip", "compile", str(asked), "--constraint", str(bounds)),
            *("--output-file", str(out), "--format", "pylock.toml", "--python-version", python),
            *("--python-platform", UV_PLATFORMS[platform], "--only-binary", ":all:"),
            *("--generate-hashes", "--no-header", "--quiet"),
        )
        return uv.scrub(out.read_text(encoding="utf-8"))


def _wheels(item: dict[str, Any]) -> dict[str, str]:
    return {
        unquote(str(wheel.get("url") or wheel.get("path", "")).rsplit("/", 1)[-1]): str(
            wheel.get("hashes", {}).get("sha256", "")
        )
        for wheel in item.get("wheels", [])
    }


def _explained(text: str, dependencies: Sequence[Dependency]) -> LockError:
    by_name = {_normal(d.name): d for d in dependencies}
    if re.search(r"error sending request|Failed to fetch|dns error|Could not connect", text):
        return LockError(
            "The package index cannot be reached",
            why=_short(text),
            remedy="Check the network, the proxy and the index (UV_INDEX_URL, "
            "UV_DEFAULT_INDEX or uv.toml)",
        )
    no_wheel = re.findall(r"([A-Za-z0-9._-]+)==\S+ has no (?:usable wheels|wheels)", text)
    missing = re.findall(r"([A-Za-z0-9._-]+) was not found in the package registry", text)
    problems = [
        Problem(
            problem=f"'{name}' has no wheel for the image's platform",
            why="Only wheels are installed: a source package would run unknown code at build time",
            remedy=f"Choose a version of {name} that has wheels, or build one and add it with "
            "UV_FIND_LINKS",
            where=_where(by_name, name),
        )
        for name in sorted(set(no_wheel))
    ] + [
        Problem(
            problem=f"The package index has no distribution '{name}'",
            remedy="Correct its name, or add the index that has it (UV_INDEX)",
            where=_where(by_name, name),
        )
        for name in sorted(set(missing))
    ]
    if problems:
        return LockError.collect(problems)
    return LockError(
        "The notebook's packages cannot be locked together",
        why=_short(text),
        remedy="Bring the kernel's packages into agreement (uv pip check names the clash)",
    )


def _where(by_name: dict[str, Dependency], name: str) -> str:
    dependency = by_name.get(_normal(name))
    if dependency is None or not dependency.cells:
        return ""
    return "cell " + ", ".join(str(number) for number in dependency.cells)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _short(text: str) -> str:
    lines = [line.strip(" ×╰─▶│├hint:") for line in text.splitlines()]
    return " ".join(line.strip() for line in lines if line.strip())[:600]
