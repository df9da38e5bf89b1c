"""Names that a notebook itself wants captured: ``%mlops_capture name …``."""

from __future__ import annotations

import ast

from jupyter_mlops import parsed
from jupyter_mlops.errors import Problem, shown
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline.dataflow import Dataflow

MAGIC = "mlops_capture"


def declared(notebook: Notebook, flow: Dataflow) -> tuple[dict[str, str], list[Problem]]:
    """Return the names with who asks for them, and what is wrong with the lines that do."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for cell in notebook.cells:
        for line in _lines(cell.tree):
            for name in line.split():
                if name.isidentifier():
                    found.setdefault(name, f"%{MAGIC} in {cell.where}")
                else:
                    problems.append(_no_name(name, cell.where))
    return found, [*problems, *undefined(found, flow)]


def undefined(wanted: dict[str, str], flow: Dataflow) -> list[Problem]:
    """Say which of the names that are wanted no cell defines."""
    return [
        Problem(
            problem=f"'{shown(name)}' is to be captured, but no cell defines it",
            remedy="Give a name that a cell sets, and that exists at the end of the notebook",
            where=who,
        )
        for name, who in wanted.items()
        if flow.producers(name) is None
    ]


def _lines(tree: ast.Module) -> list[str]:
    """Return what is given to the magic, as IPython calls it."""
    found = []
    for node in parsed.nodes(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if node.func.attr == "run_line_magic" and texts[:1] == [MAGIC] and len(texts) == 2:
            found.append(str(texts[1]))
    return found


def _no_name(text: str, where: str) -> Problem:
    return Problem(
        problem=f"%{MAGIC} takes names, and '{shown(text)}' is none",
        remedy="Give what is to be captured a name of its own: name = ...",
        where=where,
    )
