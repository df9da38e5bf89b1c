"""From the paths of the contents API to files, and back: never out of the server's root."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec
from jupyter_core.paths import is_hidden
from jupyter_server.services.contents.fileio import FileManagerMixin

from jupyter_mlops import settings
from jupyter_mlops.errors import NotFoundError, UsageError
from jupyter_mlops.jobs import Job

# A drive such as RTC: is a name that only the browser knows; the file is the same one.
_DRIVE = re.compile(r"^[A-Za-z][\w-]*:")


def root_of(contents_manager: Any) -> Path:
    """Return the folder the contents API shows; raises ``UsageError`` when it shows no folder."""
    if not isinstance(contents_manager, FileManagerMixin):
        raise UsageError(
            "This server does not keep its notebooks as local files",
            why=f"Its contents manager is {type(contents_manager).__name__}",
            remedy="Save a copy of the notebook where the server runs and publish it with "
            "`jupyter mlops publish`",
        )
    root: str = contents_manager.root_dir  # type: ignore[attr-defined,unused-ignore]
    return Path(os.path.normpath(Path(root).absolute()))


def base_of(contents_manager: Any) -> Path:
    """Return the folder that relative references (``oci:DIRECTORY``) are taken from."""
    try:
        return root_of(contents_manager)
    except UsageError:
        return settings.home()


def to_file(contents_manager: Any, path: str) -> Path:
    """Return the file of a contents path, with or without a drive.

    Raises ``UsageError`` for a path that leads out of the root, ``NotFoundError`` when there is
    no such file or it is hidden.
    """
    root = root_of(contents_manager)
    if not path or "\0" in path:
        raise UsageError("The path is empty or not a path", remedy="Give a contents path")
    for candidate in dict.fromkeys((path, _DRIVE.sub("", path, count=1))):
        # Lexically, as the contents manager does: links inside the root may lead elsewhere.
        file = Path(os.path.normpath(root / candidate.lstrip("/")))
        if not file.is_relative_to(root):
            raise UsageError(
                f"{path}: this path leads out of the server's root folder",
                remedy="Give a path relative to that folder",
            )
        hidden = is_hidden(str(file), str(root)) and not contents_manager.allow_hidden
        if file.is_file() and not hidden:
            return file
    raise NotFoundError(
        f"There is no file {path!r}", remedy="Save the notebook first, or check its path"
    )


def shown(contents_manager: Any, job: Job) -> Job:
    """Return the job as the browser knows it: its notebook by contents path where it has one."""
    path = job.request.get("path")
    if not isinstance(path, str) or not isinstance(contents_manager, FileManagerMixin):
        return job
    root = root_of(contents_manager)
    if not Path(path).is_relative_to(root):
        return job
    inside = Path(path).relative_to(root).as_posix()
    return msgspec.structs.replace(job, request={**job.request, "path": inside})
