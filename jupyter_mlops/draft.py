"""Say what a notebook would become while it is still being typed: text only, nothing is asked.

The saved notebook has its whole analysis in ``analyze.py``, which also asks the kernel; this is
the part of it that can follow typing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import stars
from jupyter_mlops.analyze import StepSummary, extract, summaries
from jupyter_mlops.errors import Problem
from jupyter_mlops.pipeline import hidden, service_code
from jupyter_mlops.pipeline.dataflow import Edge
from jupyter_mlops.pipeline.hidden import HiddenState
from jupyter_mlops.pipeline.parameters import Candidate
from jupyter_mlops.pipeline.service_code import ServiceCode
from jupyter_mlops.runtime.parameters import Parameter


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What the text of a notebook says; ``unreadable`` are the code cells that are not Python.

    The other fields are those of ``Analysis``; its problems of the kernel are not among them.
    """

    title: str
    parameters: list[Parameter]
    parameters_source: str
    candidates: list[Candidate]
    notes: list[str]
    steps: list[StepSummary]
    edges: list[Edge]
    contradictions: list[str]
    reached: dict[str, list[int]]
    hidden_state: list[HiddenState]
    service_code: ServiceCode
    problems: list[Problem]
    unreadable: list[int]


def analyze_draft(path: Path, content: bytes) -> Draft:
    """Describe a notebook's content (nbformat's JSON) as if it were saved at ``path``.

    Reads the modules beside it, writes nothing and starts no process: what star imports bind is
    known if the kernel was asked before. Raises ``NotebookError`` when the content is not a
    notebook that can be read.
    """
    notes: list[str] = []
    notebook = stars.resolve(notebooks.parse(path, content), notes.append, ask=False)
    extracted = extract(notebook)
    return Draft(
        title=notebook.title,
        parameters=extracted.found.parameters,
        parameters_source=extracted.found.source,
        candidates=extracted.found.candidates,
        notes=[*extracted.found.notes, *notes],
        steps=summaries(extracted.plan),
        edges=extracted.evidence.edges,
        contradictions=extracted.evidence.contradictions,
        reached=extracted.reached(),
        hidden_state=hidden.find(notebook, extracted.flow),
        service_code=service_code.describe(
            notebook, extracted.service, extracted.services, extracted.fitted
        ),
        problems=extracted.problems,
        unreadable=[cell.number for cell in notebook.cells if cell.syntax_error],
    )
