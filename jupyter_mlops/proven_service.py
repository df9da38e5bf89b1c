"""The code of a service once the run is over: the candidate that it proved, and its classes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jupyter_mlops.analyze import Extracted
from jupyter_mlops.errors import CaptureError
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import services, slicing
from jupyter_mlops.pipeline.slicing import Slice


def of(extracted: Extracted, number: int) -> Extracted:
    """Return the pipeline with the candidate service that the run proved."""
    route = extracted.services.routes[number]
    service = Slice(route.function, route.source, route.captured, route.cells)
    return msgspec.structs.replace(extracted, service=service, route=route)


def keeping(notebook: Notebook, extracted: Extracted, names: Sequence[str]) -> Extracted:
    """Return the pipeline whose service also has the code of classes that captures need.

    Raises ``CaptureError`` where there is no such code to begin with.
    """
    parameters = {parameter.name for parameter in extracted.found.parameters}
    if extracted.route is not None:
        route = extracted.route
        source = services.with_code(notebook, parameters, route, names)
        service: Slice | None = Slice(route.function, source, route.captured, route.cells)
    else:
        chosen = extracted.service.function if extracted.service else None
        service = slicing.slice_predict(notebook, parameters, names, chosen)
    if service is None:
        raise CaptureError(
            f"What was captured needs {', '.join(names)}, which the notebook defines",
            why="Without a function that predicts, no code of the notebook comes along",
            remedy="Write one, def predict(rows): ...",
        )
    if service.problems:
        raise CaptureError.collect(service.problems)
    return msgspec.structs.replace(extracted, service=service)
