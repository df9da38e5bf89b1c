"""A notebook as plain Python, cell by cell, with its parameters taken apart."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from jupyter_mlops.errors import NotebookError, Problem
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.parsed import plain_python, tree_of
from jupyter_mlops.pipeline import parameters
from jupyter_mlops.pipeline.dataflow import Dataflow, analyze
from jupyter_mlops.pipeline.export.plain import plain
from jupyter_mlops.pipeline.export.statements import Body, body
from jupyter_mlops.pipeline.parameters import Found
from jupyter_mlops.pipeline.parameters.declared import assignments
from jupyter_mlops.runtime.parameters import Parameter


@dataclass
class Sources:
    """The plain cells of a notebook.

    ``texts`` are the cells as written; in ``bodies`` the parameters cell no longer sets the
    parameters, and turns given values into what the notebook works with. ``head`` and ``behind``
    are its two halves for a module whose lines run in order. ``modules`` are needed besides the
    notebook's own imports.
    """

    texts: dict[int, str]
    bodies: dict[int, Body]
    flow: Dataflow
    names: frozenset[str]
    modules: set[str]
    parameters: list[Parameter] = field(default_factory=list)
    cell: int = 0
    head: str = ""
    behind: str = ""
    reasons: list[str] = field(default_factory=list)


def sources(notebook: Notebook) -> Sources:
    """Translate every cell; raises ``NotebookError`` with every cell that cannot be."""
    found = parameters.find(notebook)
    flow = analyze(notebook.cells, [each.name for each in found.parameters], notebook.stars)
    names = frozenset(name for cell in flow.flows for name in cell.writes)
    texts: dict[int, str] = {}
    modules: set[str] = set()
    problems: list[Problem] = []
    for cell in notebook.cells:
        one = plain(cell, names)
        texts[cell.number] = one.text
        modules |= one.modules
        problems += one.problems
    problems += _history(notebook, flow)
    problems += [_taken(name) for name in sorted(modules & names) if not _imports(flow, name)]
    if problems:
        raise NotebookError.collect(problems)
    bodies = {number: body(number, text) for number, text in texts.items()}
    result = Sources(texts, bodies, flow, names, modules)
    if found.cell is not None and found.parameters and not found.problems:
        _take_parameters(result, found, found.cell.number)
    return result


def _take_parameters(result: Sources, found: Found, number: int) -> None:
    divided = divide(result.texts[number], found)
    if divided.mixed:
        result.reasons.append(f"cell {number} sets a parameter and another name at once")
    result.parameters = sorted(found.parameters, key=lambda each: not each.required)
    result.cell, result.head, result.behind = number, divided.head, divided.behind
    result.bodies[number] = body(number, divided.rest)


@dataclass(frozen=True)
class Divided:
    """The halves of the parameters cell, and both without what sets parameters.

    ``mixed`` tells whether a statement sets a parameter and another name.
    """

    head: str
    behind: str
    rest: str
    mixed: bool


def divide(source: str, found: Found) -> Divided:
    """Take the parameters out of the text of their cell."""
    settled = parameters.settle(source, found)
    names = {each.name for each in found.parameters}
    head = body(0, plain_python(settled.head))
    sets = [{each.name for each in assignments(each.node)} for each in head.statements]
    taken = {index for index, each in enumerate(sets) if each & names}
    rest = head.without(taken)
    if all(_is_comment(line) for line in rest.split("\n")):
        rest = ""
    text = "\n".join(part for part in (rest, settled.behind) if part.strip())
    mixed = any(each & names and not each <= names for each in sets)
    return Divided(settled.head, settled.behind, text, mixed)


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _history(notebook: Notebook, flow: Dataflow) -> list[Problem]:
    return [
        Problem(
            problem=f"The cell reads {', '.join(sorted(read))}, which only IPython keeps",
            remedy="Give the value a name in the cell that makes it",
            where=f"cell {cell.number}",
        )
        for cell in flow.flows
        if (read := {name for name, (_, why) in cell.held.items() if "history" in why})
    ]


def _taken(name: str) -> Problem:
    return Problem(
        problem=f"The notebook binds the name '{name}', which its shell lines need as a module",
        remedy="Choose another name in the notebook",
    )


def _imports(flow: Dataflow, name: str) -> bool:
    binding = flow.world.names.get(name)
    return binding is not None and all(obj.data == name for obj in binding.value.objs)


def shows(notebook_texts: dict[int, str], names: frozenset[str]) -> bool:
    """Tell whether the notebook calls IPython's ``display``."""
    return "display" not in names and any(
        isinstance(node, ast.Name) and node.id == "display"
        for text in notebook_texts.values()
        if "display" in text
        for node in ast.walk(tree_of(text))
    )
