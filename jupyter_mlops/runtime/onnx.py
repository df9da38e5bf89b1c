"""ONNX Runtime in the place of scikit-learn: an estimator is converted when the service starts.

Its arithmetic is not scikit-learn's: sums come in another order. ``proof.py`` holds its answers
against the estimator's before it is used, and the service says that it is. Sources: skl2onnx's
``to_onnx`` and ONNX Runtime's ``InferenceSession``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("mlops")
#: What an image needs for it, beyond what serves.
PACKAGES = ("onnxruntime", "skl2onnx")

Call = Callable[[Any], Any]


def of(estimator: Any, width: int) -> tuple[Call | None, str]:
    """Return a function of a two-dimensional array that predicts, or why there is none.

    ``width`` is the number of columns.
    """
    try:
        import onnxruntime
        import skl2onnx
        from skl2onnx.common import data_types
    except ImportError as error:
        return None, f"The image has no {error.name}."
    # Each converter logs what it does not know.
    logging.getLogger("skl2onnx").setLevel(logging.ERROR)
    problem = ""
    for kind, dtype in (("DoubleTensorType", "float64"), ("FloatTensorType", "float32")):
        columns = getattr(data_types, kind)([None, width])
        try:
            made = _converted(skl2onnx, estimator, columns)
            session = _session(onnxruntime, made)
            return _call(session, dtype), ""
        except Exception as error:
            # Both raise many kinds for what they do not know; the next type may do.
            problem = f"ONNX does not take a {type(estimator).__name__} ({type(error).__name__})."
            logger.info("%s", problem)
    return None, problem


def _converted(skl2onnx: Any, estimator: Any, columns: Any) -> Any:
    classifies = getattr(estimator, "classes_", None) is not None
    options = {id(estimator): {"zipmap": False}} if classifies else None
    return skl2onnx.to_onnx(estimator, initial_types=[("rows", columns)], options=options)


def _session(onnxruntime: Any, model: Any) -> Any:
    options = onnxruntime.SessionOptions()
    # Workers share the cores; and with one thread sums have one order.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _call(session: Any, dtype: str) -> Call:
    import numpy as np

    name = session.get_inputs()[0].name
    first = session.get_outputs()[0].name
    run = session.run

    def call(rows: Any) -> Any:
        answer = np.asarray(run([first], {name: np.ascontiguousarray(rows, dtype=dtype)})[0])
        # A column of answers is one answer for each row.
        return answer.ravel() if answer.ndim == 2 and answer.shape[1] == 1 else answer

    return call
