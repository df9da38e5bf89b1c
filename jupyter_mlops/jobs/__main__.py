"""Run one job: ``python -m jupyter_mlops.jobs DIRECTORY [LOCK]``, which the supervisor starts."""

from __future__ import annotations

import sys
from pathlib import Path

from jupyter_mlops.jobs.worker import work

if __name__ == "__main__":
    inherited = int(sys.argv[2]) if len(sys.argv) > 2 else None
    sys.exit(work(Path(sys.argv[1]), lock=inherited))
