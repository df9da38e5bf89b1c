"""The signature of a publication as a person edits it: a JSON file that says what is accepted."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.assemble import Verified
from jupyter_mlops.capture.models import Column, Golden, Signature
from jupyter_mlops.errors import CaptureError, Problem, UsageError
from jupyter_mlops.events import Log, OnEvent
from jupyter_mlops.runtime.columns import problems_of

#: What a person may say of a column; the rest is what the model was trained with.
EDITABLE = ("required", "minimum", "maximum", "limit", "allowed", "description")
SUFFIX = ".signature.json"


def beside(notebook: Path) -> Path | None:
    """Return the notebook's own file, ``NAME.signature.json``, if there is one."""
    path = notebook.with_suffix(SUFFIX)
    return path if path.is_file() else None


def text(signature: Signature) -> str:
    """Return a signature as a person edits it: what has its default is left out."""
    shown = {
        "inputs": [_told(column) for column in signature.inputs],
        "outputs": [_told(column) for column in signature.outputs],
        "rows": signature.rows,
    }
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode() + "\n"


def _told(column: Column) -> dict[str, Any]:
    plain = Column(name=column.name, dtype=column.dtype)
    return {
        name: getattr(column, name)
        for name in Column.__struct_fields__
        if name in ("name", "dtype") or getattr(column, name) != getattr(plain, name)
    }


def read(path: Path) -> Signature:
    """Read a person's file. Raises ``UsageError`` with what is wrong about it."""
    try:
        given = msgspec.json.decode(path.read_bytes())
        found = msgspec.convert(given, Signature)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "It is no text"
        raise UsageError(f"{path.name} cannot be read", why=str(why), where=str(path)) from None
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(
            f"{path.name} is not a signature",
            why=str(error),
            remedy="Begin from: jupyter mlops signature REF > FILE",
            where=str(path),
        ) from None
    unknown = set(given) - set(Signature.__struct_fields__)
    for column in (*given.get("inputs", []), *given.get("outputs", [])):
        unknown |= set(column) - set(Column.__struct_fields__)
    if unknown:
        known = ", ".join(EDITABLE)
        raise UsageError(
            f"{path.name} says what is not known of a column: {', '.join(sorted(unknown))}",
            remedy=f"A column may have: {known}",
            where=str(path),
        )
    return found


def apply(verified: Verified, path: Path | None, on_event: OnEvent) -> Verified:
    """Return what was verified with a person's signature instead of the learned one.

    Raises ``CaptureError`` where it does not fit what the run has shown.
    """
    if path is None:
        return verified
    report = verified.report
    if report.signature is None:
        raise UsageError(
            f"{path.name} is of no use here",
            why="This notebook has nothing that predicts, or nothing is known of its inputs",
            where=path.name,
        )
    made = edited(report.signature, read(path), report.golden, path.name)
    on_event(Log(text=f"the signature is that of {path.name}"))
    return dataclasses.replace(verified, report=msgspec.structs.replace(report, signature=made))


def edited(learned: Signature, given: Signature, golden: Golden | None, where: str) -> Signature:
    """Return the learned signature with what a person may change; raises ``CaptureError``."""
    names = [column.name for column in learned.inputs]
    wanted = {column.name: column for column in given.inputs}
    problems = [
        Problem(problem=f"There is no column '{name}'", remedy=f"They are: {', '.join(names)}")
        for name in wanted
        if name not in names
    ]
    inputs = []
    for column in learned.inputs:
        asked = wanted.get(column.name)
        if asked is None:
            inputs.append(column)
            continue
        problems += _problems(column, asked)
        changes = {name: getattr(asked, name) for name in EDITABLE}
        inputs.append(msgspec.structs.replace(column, **changes))
    made = msgspec.structs.replace(learned, inputs=inputs)
    if golden is not None and not problems:
        problems += [
            Problem(
                problem=f"A row of the training data is not of this signature: {text}",
                remedy="Widen it, or leave such rows out of the training",
            )
            for text in problems_of(golden.inputs, made)
        ]
    if problems:
        raise CaptureError.collect(
            msgspec.structs.replace(problem, where=where) for problem in problems
        )
    return made


def _problems(learned: Column, asked: Column) -> list[Problem]:
    """Say what of a column cannot be as a person wants it."""
    found = []
    for name in ("dtype", "categories"):
        given, known = getattr(asked, name), getattr(learned, name)
        if given != known and given is not None:
            found.append(
                Problem(
                    problem=f"The {name} of '{learned.name}' cannot be changed",
                    why=f"The model was trained with {known}",
                    remedy="Use `allowed` to accept fewer values",
                )
            )
    numeric = learned.dtype.lower().startswith(("int", "uint", "float"))
    if asked.limit and not numeric:
        text = f"'{learned.name}' has no range: it is of the type {learned.dtype}"
        found.append(Problem(problem=text, remedy="Leave `limit` out, or use `allowed`"))
    low, high = asked.minimum, asked.maximum
    if low is not None and high is not None and low > high:
        found.append(Problem(problem=f"The minimum of '{learned.name}' is above its maximum"))
    return found
