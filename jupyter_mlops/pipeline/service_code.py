"""The code of a service as it is shown before anything runs: what answers, and from where."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline.estimators import Fitted
from jupyter_mlops.pipeline.service import words
from jupyter_mlops.pipeline.services import Services
from jupyter_mlops.pipeline.slicing import Slice

Kind = Literal["function", "candidate", "estimator", "none"]
_TURNS = frozenset({"transform", "fit_transform"})


class ServiceCode(msgspec.Struct, frozen=True, kw_only=True):
    """What would answer, and the text of ``service.py`` as far as a notebook's text says it.

    A ``function`` is the notebook's own, sliced; a ``candidate`` is made of its cells for
    ``model``, and the run proves this one or another, else ``model`` answers itself. An
    ``estimator`` answers without code, and with ``none`` nothing answers. ``call`` is written
    ``predict(rows)``; ``captured`` are the names whose value comes from the run, ``cells`` the
    code cells, from 1, that the text is from.
    """

    kind: Kind = "none"
    function: str = ""
    call: str = ""
    source: str = ""
    captured: list[str] = []
    cells: list[int] = []
    model: str = ""


def describe(
    notebook: Notebook, service: Slice | None, services: Services, fitted: Sequence[Fitted]
) -> ServiceCode:
    """Return the code of what a notebook's text says would answer."""
    if service is not None:
        return ServiceCode(
            kind="function",
            function=service.function,
            call=_call(notebook, service.function),
            source=service.source,
            captured=service.captured,
            cells=service.cells,
        )
    model = _model(notebook, fitted)
    # One without a root only stands for the model, should its classes need code.
    routes = (each for each in services.routes if each.model == model and each.root)
    route = next(routes, None)
    if route is not None:
        begin = route.source.index(f"def {route.function}(") + len("def ")
        return ServiceCode(
            kind="candidate",
            function=route.function,
            call=route.source[begin : route.source.index(":", begin)],
            source=route.source,
            captured=route.captured,
            cells=route.cells,
            model=model,
        )
    if model:
        return ServiceCode(kind="estimator", captured=[model], model=model)
    return ServiceCode()


def _call(notebook: Notebook, function: str) -> str:
    """Return the notebook's function as it is called, without annotations and defaults."""
    found = [
        node
        for cell in notebook.cells
        for node in cell.tree.body
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    given = found[-1].args
    names = [each.arg for each in [*given.posonlyargs, *given.args]]
    names += [f"*{given.vararg.arg}"] if given.vararg else []
    names += [each.arg for each in given.kwonlyargs]
    names += [f"**{given.kwarg.arg}"] if given.kwarg else []
    return f"{function}({', '.join(names)})"


def _model(notebook: Notebook, fitted: Sequence[Fitted]) -> str:
    """Return the fitted name that answers: asked by a cell, else one that does not transform.

    Of several it is the last that is fitted; which one counts is for a person to say (``--model``).
    """
    methods = set(_methods(notebook))
    names = [each.name for each in fitted]
    asked = [name for name in names if any((name, each) in methods for each in words.ANSWERS)]
    turning = [name for name in names if any((name, each) in methods for each in _TURNS)]
    left = asked or [name for name in names if name not in turning] or names
    return left[-1] if left else ""


def _methods(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Yield each name with each method that cells call on it."""
    for cell in notebook.cells:
        for node in parsed.nodes(cell.tree):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
                    yield name, method
