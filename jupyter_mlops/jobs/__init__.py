"""Long work as directories, each run by a process apart that survives whoever started it."""

from jupyter_mlops.jobs.kinds import KINDS, Kind
from jupyter_mlops.jobs.models import AlreadyRunning, Job, JobEvent
from jupyter_mlops.jobs.store import JobStore
from jupyter_mlops.jobs.supervisor import submit

__all__ = ["KINDS", "AlreadyRunning", "Job", "JobEvent", "JobStore", "Kind", "submit"]
