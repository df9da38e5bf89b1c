"""The REST interface under ``/jupyter-mlops``: each verb is a few lines over the same functions.

The spine is imported when it is first needed: it must not slow down the start of the server.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_mlops import settings
from jupyter_mlops.jobs import submit
from jupyter_mlops.lab import paths
from jupyter_mlops.lab.base import MlopsHandler

if TYPE_CHECKING:
    from jupyter_mlops.registry.retention import Rule
    from jupyter_mlops.registry.search import Query

#: How many bytes of a draft are looked at: outputs are not sent, so this is text only.
DRAFT_BYTES = 8 * 2**20
_JOB = r"/jupyter-mlops/jobs/(?P<job_id>[\w-]+)"


class NewJob(msgspec.Struct, forbid_unknown_fields=True):
    """What is posted to start work."""

    kind: str
    request: dict[str, Any] = {}


class NewDraft(msgspec.Struct, forbid_unknown_fields=True):
    """A notebook that is being edited: the contents path of its file, and what is in it now."""

    path: str
    content: msgspec.Raw


class NewTag(msgspec.Struct, forbid_unknown_fields=True):
    """A tag that is to point to the image under a reference."""

    reference: str
    tag: str


class NewRetention(msgspec.Struct, forbid_unknown_fields=True):
    """What is to stay in a repository; with ``dry_run`` it is only said."""

    repository: str
    keep: int
    keep_days: int = 0
    dry_run: bool = True

    @property
    def rule(self) -> Rule:
        """What stays."""
        from jupyter_mlops.registry.retention import Rule

        return Rule(keep=self.keep, keep_days=self.keep_days)


class AnalysisHandler(MlopsHandler):
    """What a notebook holds, before anything is done with it."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Analyse the notebook at the contents path ``path``."""
        from jupyter_mlops.analyze import analyze

        file = paths.to_file(self.contents_manager, self.get_query_argument("path"))
        self.answer(await self.apart(analyze, file))


class DraftHandler(MlopsHandler):
    """What the text of a notebook says, as it stands in an editor."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Analyse the content that is sent; neither the file nor a kernel is touched."""
        from jupyter_mlops.draft import analyze_draft

        new = self.body_as(NewDraft, at_most=DRAFT_BYTES)
        file = paths.to_file(self.contents_manager, new.path)
        self.answer(await self.apart(analyze_draft, file, bytes(new.content)))


class EnvironmentHandler(MlopsHandler):
    """What a notebook runs on: packages with their reason and size, questions, problems."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Describe the environment of the notebook at the contents path ``path``."""
        from jupyter_mlops.locking import describe_environment

        file = paths.to_file(self.contents_manager, self.get_query_argument("path"))
        self.answer(await self.apart(describe_environment, file))

    @authenticated
    @authorized
    async def post(self) -> None:
        """Describe it as it is with a person's edits and answers; nothing is kept."""
        from jupyter_mlops.locking import EditedEnvironment, describe_environment

        new = self.body_as(EditedEnvironment)
        file = paths.to_file(self.contents_manager, new.path)
        answer = await self.apart(
            describe_environment, file, new.options, answers=new.answers, system=new.system
        )
        self.answer(answer)


class CapturesHandler(MlopsHandler):
    """What of a notebook can be captured."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List the names of the notebook at ``path``, with what the kernel ``kernel`` knows."""
        from jupyter_mlops.pickable import pickable

        file = paths.to_file(self.contents_manager, self.get_query_argument("path"))
        kernel = self.get_query_argument("kernel", "")
        self.answer(await self.apart(pickable, file, kernel))


class JobsHandler(MlopsHandler):
    """All jobs."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List the jobs, the newest first."""
        jobs = await self.apart(self.store.list)
        self.answer({"jobs": [self.shown(job) for job in jobs]})

    @authenticated
    @authorized
    async def post(self) -> None:
        """Start work; answers at once with the job that does it."""
        new = self.body_as(NewJob)
        request = dict(new.request)
        if isinstance(request.get("path"), str):
            request["path"] = str(paths.to_file(self.contents_manager, request["path"]))
        base = paths.base_of(self.contents_manager)
        job = await self.apart(submit, self.store, new.kind, request, base=base)
        self.set_header("Location", f"{self.request.path.rstrip('/')}/{job.id}")
        self.answer(self.shown(job), HTTPStatus.ACCEPTED)


class JobHandler(MlopsHandler):
    """One job."""

    @authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Describe the job."""
        self.answer(self.shown(await self.apart(self.store.get, job_id)))

    @authenticated
    @authorized
    async def delete(self, job_id: str) -> None:
        """Cancel a job that goes on; forget one that has ended."""
        job = await self.apart(self.store.get, job_id)
        await self.apart(self.store.cancel if job.active else self.store.delete, job_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()


class JobEventsHandler(MlopsHandler):
    """What a job has said so far."""

    @authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """List the events from the first one."""
        events = await self.apart(self.store.events, job_id)
        self.answer({"events": [event.flat() for event in events]})


class JobLogHandler(MlopsHandler):
    """The log of a job."""

    @authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Return the end of the log as text."""
        self.answer({"log": await self.apart(self.store.log, job_id)})


class PublicationsHandler(MlopsHandler):
    """What a registry holds."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List those of ``registry`` (or the default one) that fit the query."""
        from jupyter_mlops.catalog import list_publications

        registry = self.get_query_argument("registry", "") or settings.default_registry()
        publications = await self.apart(list_publications, registry, _query(self))
        self.answer({"registry": registry, "publications": publications})


def _query(handler: MlopsHandler) -> Query:
    from jupyter_mlops.registry.search import Query

    return Query(
        search=handler.get_query_argument("search", ""),
        parameters=handler.get_query_arguments("parameter"),
        metrics=handler.get_query_arguments("metric"),
        owner=handler.get_query_argument("owner", ""),
    )


class TagsHandler(MlopsHandler):
    """Tags that move."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Point a tag to the image under a reference."""
        from jupyter_mlops.catalog import tag

        new = self.body_as(NewTag)
        self.answer(await self.apart(tag, new.reference, new.tag))


class RetentionHandler(MlopsHandler):
    """Which versions of a repository stay."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Say what would go by a rule; remove it only with ``dry_run`` false."""
        from jupyter_mlops.catalog import retain

        new = self.body_as(NewRetention)
        found = await self.apart(retain, new.repository, new.rule, dry_run=new.dry_run)
        self.answer(found)


class ServicesHandler(MlopsHandler):
    """Services that run on this machine."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List the services."""
        from jupyter_mlops.serve import list_services

        self.answer({"services": await self.apart(list_services)})


class ServiceLogHandler(MlopsHandler):
    """What a service says."""

    @authenticated
    @authorized
    async def get(self, service_id: str) -> None:
        """Return the end of its log as text."""
        from jupyter_mlops.serve import service_log

        self.answer(await self.apart(service_log, service_id))


class ServiceHandler(MlopsHandler):
    """One service."""

    @authenticated
    @authorized
    async def delete(self, service_id: str) -> None:
        """Stop the service."""
        from jupyter_mlops.serve import stop_service

        await self.apart(stop_service, service_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()


ROUTES = [
    (r"/jupyter-mlops/analysis", AnalysisHandler),
    (r"/jupyter-mlops/draft", DraftHandler),
    (r"/jupyter-mlops/environment", EnvironmentHandler),
    (r"/jupyter-mlops/captures", CapturesHandler),
    (r"/jupyter-mlops/jobs/?", JobsHandler),
    (_JOB, JobHandler),
    (_JOB + "/events", JobEventsHandler),
    (_JOB + "/log", JobLogHandler),
    (r"/jupyter-mlops/publications", PublicationsHandler),
    (r"/jupyter-mlops/tags", TagsHandler),
    (r"/jupyter-mlops/retention", RetentionHandler),
    (r"/jupyter-mlops/services", ServicesHandler),
    (r"/jupyter-mlops/services/(?P<service_id>[\w.-]+)", ServiceHandler),
    (r"/jupyter-mlops/services/(?P<service_id>[\w.-]+)/log", ServiceLogHandler),
]
