"""A notebook's parameters: found in its text, checked, and written back into a step."""

from __future__ import annotations

from jupyter_mlops.pipeline.parameters.checks import check
from jupyter_mlops.pipeline.parameters.finding import find
from jupyter_mlops.pipeline.parameters.models import Candidate, Found
from jupyter_mlops.pipeline.parameters.settling import Settled, settle, with_values
from jupyter_mlops.pipeline.parameters.sources import given

__all__ = ["Candidate", "Found", "Settled", "check", "find", "given", "settle", "with_values"]
