"""``jupyter nbconvert --to mlops-pipeline``: the module of a notebook, through nbconvert."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import Exporter
from nbconvert.utils.exceptions import ConversionException
from traitlets import Enum

from jupyter_mlops import notebook_format
from jupyter_mlops.errors import NotebookError
from jupyter_mlops.notebook import Notebook, code_cells
from jupyter_mlops.pipeline import parameters
from jupyter_mlops.pipeline.dataflow import analyze
from jupyter_mlops.pipeline.export.module import to_module
from jupyter_mlops.pipeline.plan import make_plan


class MlopsPipelineExporter(Exporter):  # type: ignore[misc]
    """Exports a notebook as one Python module with a function for each step."""

    export_from_notebook = "Pipeline (Python module)"
    output_mimetype = "text/x-python"
    split = Enum(
        ["auto", "headings", "cells", "none"], default_value="auto", help="Where steps begin."
    ).tag(config=True)

    def _file_extension_default(self) -> str:
        return ".py"

    def from_notebook_node(
        self, nb: Any, resources: Any = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the module and the resources; raises nbconvert's ``ConversionException``."""
        path = _path(resources)
        try:
            checked = notebook_format.validated(path, notebook_format.whole_characters(path, nb))
            node, resources = super().from_notebook_node(checked, resources, **kw)
            return self._module(_notebook(node, path)), resources
        except NotebookError as error:
            raise ConversionException(str(error)) from None

    def _module(self, notebook: Notebook) -> str:
        names = [each.name for each in parameters.find(notebook).parameters]
        flow = analyze(notebook.cells, names, notebook.stars)
        return to_module(notebook, make_plan(notebook, flow, self.split))


def _path(resources: Any) -> Path:
    metadata = (resources or {}).get("metadata", {})
    return Path(metadata.get("path") or ".") / f"{metadata.get('name') or 'notebook'}.ipynb"


def _notebook(node: Any, path: Path) -> Notebook:
    digest = hashlib.sha256(nbformat.writes(node).encode()).hexdigest()
    kernel = node.metadata.get("kernelspec", {}).get("name", "python3")
    return Notebook(path=path, node=node, cells=code_cells(node), kernel_name=kernel, sha256=digest)
