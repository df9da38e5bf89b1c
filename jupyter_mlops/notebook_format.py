"""From a file to nbformat 4, checked: whatever is wrong with the file is one clear sentence."""

from __future__ import annotations

import json
import re
import stat
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import NotebookError, shown

#: Lists and objects in each other: beyond, code that walks a notebook gives up.
DEEPEST = 100
SAVE_AGAIN = "Open it in JupyterLab and save it again"
_ESCAPED_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")


def read_bytes(path: Path) -> bytes:
    """Return what is in a notebook's file; raises ``NotebookError`` if that is no regular file."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotebookError(
            "There is no such file",
            remedy="Check the path; notebooks end in .ipynb",
            where=str(path),
        ) from None
    except OSError as error:
        raise NotebookError(
            "The file cannot be read", why=error.strerror or str(error), where=str(path)
        ) from None
    except MemoryError:
        raise _too_large(path) from None
    if stat.S_ISDIR(mode):
        raise NotebookError(
            "This is a folder, not a notebook", remedy="Name an .ipynb file in it", where=str(path)
        )
    raise NotebookError(
        "This is a pipe or a device, not a file",
        remedy="Save the notebook as an .ipynb file, and name that",
        where=str(path),
    )


def decode(path: Path, raw: bytes) -> dict[str, Any]:
    """Return the JSON of a notebook; raises ``NotebookError`` if it is none."""
    try:
        content = _loaded(path, raw)
    except UnicodeDecodeError as error:
        raise NotebookError(
            "This is not a notebook",
            why=f"It is not UTF-8 text: byte {error.start} cannot be decoded",
            remedy="Name a saved .ipynb file",
            where=path.name,
        ) from None
    except json.JSONDecodeError as error:
        why = "it begins with a byte order mark" if raw[:3] == b"\xef\xbb\xbf" else str(error)
        raise NotebookError(
            "This is not a notebook, or it was cut off while it was written",
            why=f"It is not valid JSON: {why}",
            remedy=f"{SAVE_AGAIN}, or restore it from a checkpoint",
            where=path.name,
        ) from None
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError:  # Python reads no longer ones, as it would take too long
        raise _damaged(path, "a number in it has more than 4300 digits") from None
    except MemoryError:
        raise _too_large(path) from None
    if not isinstance(content, dict) or "nbformat" not in content:
        raise NotebookError(
            "This is JSON, but not a notebook",
            why="It has no 'nbformat' field",
            remedy="Name a saved .ipynb file",
            where=path.name,
        )
    if _depth(content) > DEEPEST:
        raise _too_deep(path)
    return content


def _loaded(path: Path, raw: bytes) -> Any:
    content = json.loads(raw.decode("utf-8"))
    return whole_characters(path, content) if _ESCAPED_HALF.search(raw) else content


def whole_characters(path: Path, content: Any) -> Any:
    """Return content without halves of characters; raises ``NotebookError`` for one in code.

    A lone surrogate can be said in JSON, but it can be in no file and be sent to no kernel.
    """
    text = json.dumps(content, ensure_ascii=False)
    if not _HALF.search(text):
        return content
    for number, source in enumerate(_code(content), 1):
        if _HALF.search(json.dumps(source, ensure_ascii=False)):
            raise NotebookError(
                "The cell holds half a character",
                why="It has one of the two parts of a surrogate pair, which is no text",
                remedy=f"Write the character anew, or as an escape, in {path.name}",
                where=f"cell {number}",
            )
    return json.loads(_HALF.sub("\ufffd", text))


def _code(content: Any) -> list[Any]:
    """Return the sources of what seem to be code cells: nothing is checked yet."""
    cells = content.get("cells") if isinstance(content, dict) else None
    found = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    return [cell.get("source") for cell in found if cell.get("cell_type") == "code"]


def _depth(content: Any) -> int:
    depth = 0
    level = [content]
    while level and depth <= DEEPEST:
        depth += 1
        level = [part for value in level for part in _parts(value) if type(part) in (dict, list)]
    return depth


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def validated(path: Path, content: Any) -> Any:
    """Return content as nbformat 4 with joined lines; raises ``NotebookError`` if it is not."""
    import nbformat
    from nbformat.v4.rwbase import rejoin_lines

    version = content["nbformat"]
    if type(version) is not int:
        raise _damaged(path, "nbformat is no whole number")
    if version != 4:
        convert = f"Convert it: jupyter nbconvert --to notebook --inplace {path.name}"
        raise NotebookError(
            f"The notebook has format {shown(version)}; format 4 is needed",
            remedy=convert if 0 < version < 4 else "Save it as format 4",
            where=path.name,
        )
    node = nbformat.from_dict(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # missing cell ids: normalize() adds them
            _, node = nbformat.validator.normalize(node)
        nbformat.validate(node)
        return _with_plain_lines(rejoin_lines(node))
    except nbformat.ValidationError as error:
        raise _damaged(path, _reason(error)) from None
    except (LookupError, TypeError, AttributeError, ValueError, AssertionError):
        raise _damaged(path, _first_reason(node)) from None


def _with_plain_lines(node: Any) -> Any:
    """End the lines of code as Python sees them, and Jupyter writes them."""
    for cell in node.cells:
        if cell.cell_type == "code" and "\r" in cell.source:
            cell.source = cell.source.replace("\r\n", "\n").replace("\r", "\n")
    return node


def _first_reason(node: Any) -> str:
    """Return what the schema says of what could not even be normalized."""
    import nbformat

    try:
        errors = nbformat.validator.iter_validate(node, version=4, version_minor=5)
        return next(map(_reason, errors), "a part of it is of the wrong kind")
    except (LookupError, TypeError, AttributeError, ValueError, AssertionError):
        return "a part of it is of the wrong kind"


def _reason(error: Any) -> str:
    """Return where, and what the schema says; cells are counted from 1, of all kinds."""
    place = ""
    for key in error.absolute_path:
        place += f"[{key + 1}]" if isinstance(key, int) else f".{key}" if place else str(key)
    said = shown(error.message, 120)
    if error.validator == "required":
        said = said.replace(" is a required property", " is missing")
    elif error.validator in ("oneOf", "anyOf"):
        said = f"{shown(json.dumps(error.instance, default=str))} is nothing that may stand there"
    elif error.validator == "pattern":
        said = f"{shown(json.dumps(error.instance))} holds a character that it may not"
    return f"{shown(place)}: {said}" if place else said


def _damaged(path: Path, reason: str) -> NotebookError:
    return NotebookError(
        "The notebook is damaged",
        why=f"It does not follow the notebook format: {reason}",
        remedy=SAVE_AGAIN,
        where=path.name,
    )


def _too_deep(path: Path) -> NotebookError:
    return NotebookError(
        "The notebook is nested too deeply",
        why=f"It holds more than {DEEPEST} lists and objects in each other",
        remedy="Clear the outputs and the metadata that hold them, and save it again",
        where=path.name,
    )


def _too_large(path: Path) -> NotebookError:
    return NotebookError(
        "The notebook is larger than the memory of this machine",
        remedy="Clear its outputs and save it again",
        where=path.name,
    )
