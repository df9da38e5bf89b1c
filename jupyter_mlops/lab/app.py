"""The extension: its options, its routes, its event schema and the task that forwards events."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode

from jupyter_mlops import settings
from jupyter_mlops.jobs import JobStore
from jupyter_mlops.lab.broadcast import Broadcaster
from jupyter_mlops.lab.handlers import ROUTES

SCHEMA_FILE = Path(__file__).parent / "events" / "job.yaml"


class MlopsExtension(ExtensionApp):
    """Publish notebooks as pipelines, images and services."""

    name = "jupyter_mlops"
    load_other_extensions = True

    home = Unicode(
        "",
        config=True,
        help="Folder of all state (jobs, embedded registry, caches). Sets "
        f"{settings.HOME_VARIABLE} for the server and for the kernels and jobs that it starts.",
    )
    registry = Unicode(
        "",
        config=True,
        help="Registry that a publish without a target goes to: a prefix such as "
        f"registry.example.org/lab, or oci:DIRECTORY. Sets {settings.REGISTRY_VARIABLE}.",
    )

    _task: asyncio.Task[None] | None = None

    def initialize_settings(self) -> None:
        """Make the job store and register the event schema."""
        # Jobs and kernels are other processes: the environment is what they share with us.
        for variable, value in (
            (settings.HOME_VARIABLE, self.home),
            (settings.REGISTRY_VARIABLE, self.registry),
        ):
            if value:
                os.environ[variable] = value
        self.serverapp.event_logger.register_event_schema(SCHEMA_FILE)
        store = JobStore()
        self.settings["mlops_jobs"] = store
        self.broadcaster = Broadcaster(store, self.serverapp.event_logger, self.log)

    def initialize_handlers(self) -> None:
        """Add the routes under ``/jupyter-mlops``."""
        self.handlers.extend(ROUTES)

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        self._task = asyncio.create_task(self.broadcaster.run())

    async def stop_extension(self) -> None:
        """Stop forwarding events; jobs go on."""
        self.broadcaster.stop()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
