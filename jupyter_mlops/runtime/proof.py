"""What is proven before a service is ready: batches and quick calls answer as single rows do.

Compared are the golden rows and a fixed sample of rows made of their values, bit by bit, on the
very processor that will answer: sums may be rounded otherwise elsewhere. Only ONNX, where a person
asks for it, may round otherwise than the estimator; how far is said (see ``onnx_proof``).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import msgspec

from jupyter_mlops.capture.models import Golden, Signature
from jupyter_mlops.runtime import direct, onnx_proof
from jupyter_mlops.runtime.predictor import Predictor, Table
from jupyter_mlops.runtime.quick import Model, Numbers, Reader, Rows, plain, reader, table_of

SAMPLE = 96
#: No more time than this for the proof of batches; a slower model is not batched.
SECONDS = 10.0
#: Libraries whose estimators answer each row from that row alone.
ROWWISE = ("sklearn", "xgboost", "lightgbm", "catboost")
#: What holds code of its own, or looks at the rows together.
NOT_ROWWISE = ("FunctionTransformer", "LocalOutlierFactor")


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """How a service predicts: ``call`` is ``own``, ``frame``, ``direct`` or ``onnx``.

    ``batched`` says whether requests share calls; ``why_not`` says why they do not. ``onnx`` says
    what became of it where a person asked for it, ``rounded`` whether this machine's numbers are
    other than the verified run's, and how far.
    """

    call: str = "own"
    batched: bool = False
    why_not: str = ""
    onnx: str = ""
    rounded: str = ""


def prove(
    predictor: Predictor, golden: Golden | None, *, onnx: bool = False
) -> tuple[Model, Proven]:
    """Return the quickest model that answers exactly as the predictor, and what was found.

    With ``onnx`` it may be one that only rounds otherwise.
    """
    signature = predictor.signature
    if signature is None or golden is None or not golden.inputs:
        why = "There are no golden rows to prove it with."
        return Model(predictor), Proven(why_not=why, onnx=why if onnx else "")
    names = [column.name for column in signature.inputs]
    rows = sample(golden, signature)
    reads = reader(signature)
    model, call = Model(predictor), "own"
    if reads is not None and predictor.estimator is not None:
        model, call = _quickest(predictor, signature, reads, rows)
    told = ""
    if onnx:
        quicker, told = onnx_proof.prove(model, signature, reads, rows)
        model, call = (quicker, "onnx") if quicker is not None else (model, call)
    why_not = _rowwise(predictor)
    if not why_not:
        why_not = _batches(model, rows, names)
    return model, Proven(call=call, batched=not why_not, why_not=why_not, onnx=told)


def sample(golden: Golden, signature: Signature, count: int = SAMPLE) -> list[list[Any]]:
    """Return the golden rows and more, always the same: values of other rows, numbers changed."""
    chance = random.Random(0)
    rows = [list(row) for row in golden.inputs]
    columns = list(zip(*golden.inputs, strict=True))
    while len(rows) < count:
        row = []
        for values, column in zip(columns, signature.inputs, strict=True):
            value = chance.choice(values)
            if column.dtype.startswith("float") and isinstance(value, float):
                value = value * chance.uniform(0.5, 1.5) + chance.choice((0.0, 0.001))
            row.append(value)
        rows.append(row)
    return rows


def _quickest(
    predictor: Predictor, signature: Signature, reads: Reader, rows: list[list[Any]]
) -> tuple[Model, str]:
    body = msgspec.json.encode({"instances": rows})
    array = reads.read(body)
    if array is None:
        return Model(predictor), "own"
    for name, call in _candidates(predictor.estimator, signature):
        if _same(call, predictor, array, reads.names):
            return Model(predictor, call, reads), name
    return Model(predictor), "own"


def _candidates(estimator: Any, signature: Signature) -> list[tuple[str, Callable[[Any], Any]]]:
    found: list[tuple[str, Callable[[Any], Any]]] = []
    try:
        shortest = direct.of(estimator)
    except AttributeError:  # another version of the library, or not fitted as usual
        shortest = None
    if shortest is not None:
        found.append(("direct", shortest))
    if signature.rows == "array":
        found.append(("frame", estimator.predict))
    else:
        import pandas as pd

        index = pd.Index([column.name for column in signature.inputs])
        found.append(
            ("frame", lambda rows: estimator.predict(pd.DataFrame(rows, columns=index, copy=False)))
        )
    return found


def _same(call: Callable[[Any], Any], predictor: Predictor, array: Any, names: list[str]) -> bool:
    """Tell whether a call answers as the predictor: all rows at once, and some alone."""
    parts = [array, *(array[at : at + 1] for at in range(16)), array[3:10]]
    try:
        return all(
            _text(plain(call(part))) == _text(predictor.predict(table_of(part, names)))
            for part in parts
        )
    except Exception:
        # The predictor itself may refuse made-up rows; then nothing is proven.
        return False


def _rowwise(predictor: Predictor) -> str:
    """Return why rows might not be answered each from itself alone, by what the model is."""
    if predictor.estimator is None:
        return "The notebook's own function may look at all rows of a call."
    from jupyter_mlops.capture.trees import reachable

    for each in reachable(predictor.estimator):
        kind = type(each)
        if not hasattr(each, "get_params"):
            continue
        if kind.__name__ == "FunctionTransformer" and each.func is None:
            continue  # passes the rows on as they are
        if kind.__module__.partition(".")[0] not in ROWWISE or kind.__name__ in NOT_ROWWISE:
            return f"A {kind.__name__} may look at all rows of a call."
    return ""


def _batches(model: Model, rows: list[list[Any]], names: list[str]) -> str:
    """Return why batches are not exact; empty when predict(A+B) is predict(A)+predict(B)."""
    works = _single(model, rows, names)
    ends = time.monotonic() + SECONDS
    alone = []
    try:
        for work in works:
            alone.append(work.run(model))
            if time.monotonic() > ends:
                return "The model is too slow to prove it."
        if any(len(answer) != 1 for answer in alone):
            return "The model does not give one answer for each row."
        for size in (2, 3, 8, 13, 64, len(works)):
            joined = works[0].joined(works[1:size])
            together = joined.run(model) if joined is not None else []
            if _text(together) != _text([answer[0] for answer in alone[:size]]):
                return "Rows that are predicted together are rounded otherwise than alone."
    except Exception as error:
        return f"The model raised {type(error).__name__} on rows made to prove it."
    return ""


def sample_work(model: Model, golden: Golden | None) -> Callable[[int], Any] | None:
    """Return what makes work of n rows to measure a model with; None without golden rows."""
    signature = model.predictor.signature
    if signature is None or golden is None or not golden.inputs:
        return None
    names = [column.name for column in signature.inputs]

    def make(count: int) -> Any:
        rows = [golden.inputs[i % len(golden.inputs)] for i in range(count)]
        works = _single(model, rows, names)
        return works[0].joined(works[1:])

    return make


def _single(model: Model, rows: list[list[Any]], names: list[str]) -> list[Any]:
    if model.reader is not None:
        array = model.reader.read(msgspec.json.encode({"instances": rows}))
        assert array is not None
        return [Numbers(array[at : at + 1], names) for at in range(len(rows))]
    return [Rows(Table(rows=[row], columns=names)) for row in rows]


def _text(value: Any) -> bytes:
    return msgspec.json.encode(value)
