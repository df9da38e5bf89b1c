from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_mlops.jobs import KINDS, JobStore
from tests.jobs.work import KINDS as WORK

ROOT = Path(__file__).parents[2]
Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def jp_server_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "mlops"))
    for name, kind in WORK.items():
        monkeypatch.setitem(KINDS, name, kind)
    return {
        "ServerApp": {
            "jpserver_extensions": {"jupyter_mlops.lab": True},
            "allow_unauthenticated_access": False,
        }
    }


@pytest.fixture
def extension(jp_serverapp: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """The running extension: its task forwards events, as in a server that has started."""
    [app] = jp_serverapp.extension_manager.extension_apps["jupyter_mlops.lab"]

    async def start() -> None:
        await app._start_jupyter_server_extension(jp_serverapp)
        await app.broadcaster.ready.wait()

    jp_asyncio_loop.run_until_complete(start())
    yield app
    jp_asyncio_loop.run_until_complete(app.stop_extension())
    store: JobStore = app.settings["mlops_jobs"]
    for job in store.list():
        if job.active:
            store.cancel(job.id, grace=5)


@pytest.fixture
def ask(jp_fetch: Any) -> Ask:
    """Send a request below ``/jupyter-mlops``; return its status and its JSON, errors included.

    A list in the query is its argument several times.
    """

    async def send(*parts: str, method: str = "GET", body: Any = None, **query: Any) -> Any:
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        given = [
            (name, one)
            for name, value in query.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        try:
            answer = await jp_fetch("jupyter-mlops", *parts, method=method, body=text, params=given)
        except HTTPClientError as error:
            assert error.response is not None
            answer = error.response
        return answer.code, json.loads(answer.body) if answer.body else None

    return send


@pytest.fixture
def spine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put functions in the place of a module of the spine."""

    def replace(name: str, **functions: Any) -> None:
        module = ModuleType(f"jupyter_mlops.{name}")
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return replace
