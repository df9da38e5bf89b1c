"""What every handler shares: JSON in, JSON out, and one place where errors become answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

import msgspec
from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from jupyter_mlops.errors import MlopsError, Problem, TooLargeError, UsageError
from jupyter_mlops.jobs import AlreadyRunning, Job, JobStore
from jupyter_mlops.lab import paths

_P = ParamSpec("_P")
_T = TypeVar("_T")


class MlopsHandler(APIHandler):
    """Base of our handlers. Raise ``MlopsError``: it is answered with its status and problems."""

    auth_resource = "mlops"

    @property
    def store(self) -> JobStore:
        """Return the jobs of this server."""
        store: JobStore = self.settings["mlops_jobs"]
        return store

    async def apart(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function that blocks, in a thread."""
        return await asyncio.to_thread(function, *args, **kwargs)

    def body_as(self, kind: type[_T], *, at_most: int | None = None) -> _T:
        """Return the request's body; raises ``UsageError`` when it is not what is expected.

        ``at_most`` is how many bytes it may have.
        """
        if at_most is not None and len(self.request.body) > at_most:
            raise TooLargeError(
                f"What was sent is {len(self.request.body):,} bytes, more than the {at_most:,} "
                "that are looked at",
                remedy="Save the notebook: a saved file is read whatever its size",
            )
        try:
            return msgspec.json.decode(self.request.body or b"{}", type=kind)
        except msgspec.ValidationError as error:
            raise UsageError("The body of the request is not valid", why=str(error)) from None
        except msgspec.DecodeError as error:
            raise UsageError("The body of the request is not JSON", why=str(error)) from None

    def shown(self, job: Job) -> Job:
        """Return the job with contents paths instead of files."""
        return paths.shown(self.contents_manager, job)

    def answer(self, value: Any, status: int = HTTPStatus.OK) -> None:
        """Send a struct, or a dict of structs, as JSON."""
        self.set_status(status)
        self.finish(msgspec.json.encode(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an exception: ``{"problems": […], "message": …}``, never a traceback."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        value: dict[str, Any]
        if isinstance(error, MlopsError):
            self.set_status(error.status)
            value = {"problems": error.problems, "message": str(error)}
        else:
            problem = _problem(status_code, error)
            value = {"problems": [problem], "message": problem.sentence()}
        if isinstance(error, AlreadyRunning):
            value["job"] = self.shown(error.job)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(value))

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Log what is our fault in full and what is the user's in one line."""
        if isinstance(error, MlopsError):
            self.log.info("%s %s: %s", self.request.method, self.request.path, error)
        else:
            super().log_exception(kind, error, trace)


def _problem(status: int, error: BaseException | None) -> Problem:
    if isinstance(error, HTTPError) and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        phrase = HTTPStatus(status).phrase
        return Problem(problem=error.log_message or error.reason or phrase)
    return Problem(
        problem="An internal error stopped the request",
        remedy="The server's log has the details: please report it with them",
    )
