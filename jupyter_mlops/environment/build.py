"""Wheels made here, of packages that have none: the target must be this platform."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from jupyter_mlops import settings
from jupyter_mlops.environment import indexes, private, uv, wheels
from jupyter_mlops.environment.names import normal
from jupyter_mlops.environment.verify import bare

#: Files in a built wheel are dated so: the same source makes the same bytes (1980, as zip needs).
EPOCH = "315532800"
COMMIT = re.compile(r"@[0-9a-f]{40}(?:[#?]|$)")


class BuildFailed(Exception):
    """A wheel could not be built; the text is what the build wrote, without credentials."""


class Built(NamedTuple):
    """A wheel that was built, and what was taken out of it: it never leaves."""

    wheel: Path
    left_out: list[str]


def build(requirement: str, name: str, python: str, folder: Path | None = None) -> Built:
    """Build a wheel of ``name==1.0``, ``name @ git+https://…`` or ``name @ file:///…``.

    It runs the package's own build code, here, with the given minor version of Python. What has
    a version or a commit is built once and kept. Of what comes from a folder or a repository,
    files with the names of logins and keys are taken out (see ``private``). Raises
    ``BuildFailed``, or ``LockError`` where this machine has no such Python.
    """
    root = settings.wheels()
    root.mkdir(parents=True, exist_ok=True)
    key = f"{requirement} python {python} {os.uname().machine}"
    note = root / "built" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    note.parent.mkdir(exist_ok=True)
    with FileLock(f"{note}.lock"):
        if note.is_file():
            known = json.loads(note.read_text())
            kept = root / str(known["sha256"]) / str(known["file"])
            if kept.is_file() and "left_out" in known:
                return Built(kept, [str(each) for each in known["left_out"]])
        kept, left_out = _built(requirement, name, python, folder)
        if "==" in requirement or COMMIT.search(requirement):
            # The address itself is not noted: it may hold a password.
            known = {"sha256": kept.parent.name, "file": kept.name, "left_out": left_out}
            note.write_text(json.dumps(known))
    return Built(kept, left_out)


def _built(requirement: str, name: str, python: str, folder: Path | None) -> Built:
    interpreter = bare(python)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=settings.wheels()) as temporary:
        work = Path(temporary)
        asked = work / "requirements.in"
        asked.write_text(f"{requirement}\n")
        os.chmod(asked, 0o600)  # noqa: PTH101  # its address may hold a password
        try:
            # uv has no command that makes the wheel of a requirement, but it keeps the one that
            # it installs; a cache of its own says which that is.
            uv.patiently(
                *("pip", "install", "--quiet", "--no-deps", "--no-binary", name),
                *("--python", str(interpreter), "--target", str(work / "target")),
                *("--cache-dir", str(work / "cache"), "--requirement", str(asked)),
                *indexes.arguments(folder),
                folder=folder,
                SOURCE_DATE_EPOCH=os.environ.get("SOURCE_DATE_EPOCH", EPOCH),
            )
        except uv.Failed as error:
            raise BuildFailed(str(error)) from None
        made = _only(name, (work / "cache").rglob("*.whl"))
        if made is None:
            raise BuildFailed(f"{name} was built, but uv kept no wheel of it")
        # What an index has is public already.
        left_out = private.strip(made) if " @ " in requirement else []
        return Built(wheels.keep(made, hashlib.sha256(made.read_bytes()).hexdigest()), left_out)


def _only(name: str, found: Iterable[Path]) -> Path | None:
    files = [path for path in found if path.is_file() and normal(path.name.split("-")[0]) == name]
    return files[0] if len(files) == 1 else None
