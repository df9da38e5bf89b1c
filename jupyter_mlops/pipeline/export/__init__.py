"""A plan as something that runs elsewhere: one Python module, or a folder of notebooks."""

from __future__ import annotations

from jupyter_mlops.pipeline.export.folder import export_folder
from jupyter_mlops.pipeline.export.module import to_module

__all__ = ["export_folder", "to_module"]
