"""Predict the rows of a file with a publication, in its own environment, without a service."""

from __future__ import annotations

import itertools
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import rerun, rowfiles
from jupyter_mlops.capture.models import Signature
from jupyter_mlops.errors import Problem, RowsError, ServiceError, UsageError
from jupyter_mlops.events import Log, OnEvent, Progress, Stages, ignore
from jupyter_mlops.rowfiles import Rows
from jupyter_mlops.runtime.publication import Publication

BLOCK = 10_000  # rows that are in memory at once


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """What was predicted: by which image, from where to where, and how many ``rows``."""

    reference: str
    digest: str
    name: str
    rows: int
    output: str
    columns: list[str]


def predict(
    reference: str,
    source: Path,
    output: Path,
    *,
    overwrite: bool = False,
    block: int = BLOCK,
    on_event: OnEvent = ignore,
) -> Predicted:
    """Write the predictions for the rows of ``source`` (CSV, JSON lines, Parquet) to ``output``.

    The golden rows are answered first, and every row is checked as the service does. ``block``
    rows are read at a time, or all of them where a row's answer depends on the others. The file
    is written whole or not at all. Raises ``RowsError`` with the rows that are wrong, and
    ``UsageError`` for files.
    """
    kind = _check(source, output, overwrite)
    stages = Stages(on_event)
    root, publication, digest = rerun.unpacked(reference, stages)
    if publication.predictor.kind == "none":
        raise UsageError(
            "This publication predicts nothing",
            why="It has no model and no predict function",
            remedy=f"Run its notebook: jupyter mlops run {reference}",
            where=reference,
        )
    with stages.stage("load"):
        place = rerun.place_of(root, publication)
        command = [str(place.python), "-m", "jupyter_mlops.runtime", "batch", "--root", str(root)]
        environment = {**place.environment(), "OMP_NUM_THREADS": "1"}
    with stages.stage("predict"), _process(command, environment, root) as process:
        if rounded := process.ready.get("rounded"):
            on_event(Log(level="warning", text=rounded))
        size = _block_size(process.ready, block, on_event)
        blocks = rowfiles.read(source, size)
        with _whole(output) as unfinished:
            dtypes = _dtypes(publication.signature)
            with rowfiles.writer(unfinished, kind, dtypes) as write:
                done, columns = _through(process, blocks, write, publication, on_event)
    return Predicted(
        reference=reference,
        digest=digest,
        name=publication.name,
        rows=done,
        output=str(output),
        columns=columns,
    )


def _check(source: Path, output: Path, overwrite: bool) -> str:
    """Return the kind of the output. Raises ``UsageError`` before anything is fetched."""
    rowfiles.kind_of(source)
    kind = rowfiles.kind_of(output)
    if not source.is_file():
        raise UsageError(f"There is no file {source}", remedy="Give the rows with --input")
    if not output.absolute().parent.is_dir():
        raise UsageError(
            "The output's folder does not exist",
            remedy="Create it first",
            where=str(output.absolute().parent),
        )
    if output.exists() and (not overwrite or not output.is_file() or output.samefile(source)):
        same = output.samefile(source)
        raise UsageError(
            f"{output} exists already",
            why="It is the input" if same else "",
            remedy="Choose another --output" if same else "Choose another one, or add --overwrite",
        )
    return kind


@contextmanager
def _whole(output: Path) -> Iterator[Path]:
    """Yield a file beside the output that takes its place once it is complete."""
    with tempfile.TemporaryDirectory(dir=output.absolute().parent, prefix=".predict-") as folder:
        unfinished = Path(folder) / output.name
        unfinished.touch()
        yield unfinished
        unfinished.replace(output)


class _Batch:
    """The process that predicts."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Any) -> None:
        self.process = process
        self.errors = errors
        self.ready = self._answer()

    def ask(self, rows: Rows, first: int) -> list[Any]:
        """Return the predictions of some rows, in their order."""
        block = {
            "columns": rows.columns, "rows": rows.rows, "texts": rows.texts, "first": first,
        }  # fmt: skip
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(msgspec.json.encode(block) + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        answer = self._answer()
        if "problems" in answer:
            raise RowsError.collect(Problem(problem=text) for text in answer["problems"])
        found: list[Any] = answer["predictions"]
        return found

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = msgspec.json.decode(line)
        if "error" in answer:
            raise RowsError(
                "The publication does not predict these rows",
                why=str(answer["error"]),
                remedy="Look at the rows; its signature is in: jupyter mlops signature REF",
            )
        return answer

    def _ended(self) -> ServiceError:
        self.process.wait()
        self.errors.seek(0)
        tail = self.errors.read().decode(errors="replace").strip().splitlines()[-1:]
        return ServiceError(
            "The process that predicts has ended",
            why=tail[0] if tail else f"Its exit code was {self.process.returncode}",
            remedy="If memory ran out, read fewer rows at a time: --block-rows",
        )


@contextmanager
def _process(command: Sequence[str], environment: dict[str, str], root: Path) -> Iterator[_Batch]:
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            cwd=root,
        )
        try:
            yield _Batch(process, errors)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with suppress(BrokenPipeError):
                    pipe.close()


def _block_size(ready: dict[str, Any], block: int, on_event: OnEvent) -> int:
    """Return how many rows to read at a time; 0 for all, where answers depend on neighbours."""
    if ready.get("alone") or block == 0:
        return block
    why = (
        "a row's answer depends on the other rows"
        if ready.get("alone") is False
        else "nothing says that a row's answer does not depend on the other rows"
    )
    on_event(Log(level="warning", text=f"{why}: the whole file is read at once"))
    return 0


def _dtypes(signature: Signature | None) -> dict[str, str]:
    return {column.name: column.dtype for column in signature.outputs} if signature else {}


def _through(
    process: _Batch,
    blocks: Iterator[Rows],
    write: rowfiles.Writer,
    publication: Publication,
    on_event: OnEvent,
) -> tuple[int, list[str]]:
    """Predict block after block; return the number of rows, and the columns written."""
    done, columns = 0, list(_dtypes(publication.signature))
    for rows in blocks:
        predictions = process.ask(rows, done + 1)
        if len(predictions) != len(rows.rows):
            raise RowsError(
                f"The publication gave {len(predictions)} answers to {len(rows.rows)} rows",
                remedy="Make its predict function answer every row",
            )
        named = [_named(each, columns) for each in predictions]
        columns = list(named[0]) if named else columns
        if any(list(each) != columns for each in named):
            raise RowsError("The publication's answers do not all have the same columns")
        write(named)
        done += len(named)
        on_event(Progress(stage="predict", done=done, total=0, unit="rows", label=f"{done} rows"))
    return done, columns


def _named(answer: Any, columns: list[str]) -> dict[str, Any]:
    """Return one row's answer as named values: of a frame its columns, else ``prediction``."""
    if isinstance(answer, dict):
        return answer
    if isinstance(answer, list) and len(answer) == len(columns) and len(columns) > 1:
        return dict(zip(columns, answer, strict=True))
    if isinstance(answer, list) and len(columns) != 1:
        return dict(zip((f"y{i}" for i in itertools.count()), answer, strict=False))
    return {columns[0] if len(columns) == 1 else "prediction": answer}
