"""Serve a publication: fetch it, start it, wait until it is ready, and remember it."""

from __future__ import annotations

import datetime
import os
import uuid
from pathlib import Path

import msgspec

from jupyter_mlops import rerun, settings
from jupyter_mlops.deploy import docker, models, process, ready
from jupyter_mlops.deploy.models import Kind, Service
from jupyter_mlops.errors import UsageError
from jupyter_mlops.events import OnEvent, Stages, ignore
from jupyter_mlops.image import docker as loading
from jupyter_mlops.image.manifest import stored_image
from jupyter_mlops.image.platforms import chosen
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference


class ServiceLog(msgspec.Struct, frozen=True, kw_only=True):
    """What a service said."""

    id: str
    log: str


def serve(
    reference: str,
    *,
    with_: Kind = "process",
    port: int | None = None,
    on_event: OnEvent = ignore,
) -> Service:
    """Start a service of a publication on the loopback interface and return it once ready.

    Raises ``ServiceError`` when it cannot start or does not answer as the notebook did.
    """
    if with_ not in {"process", "docker"}:
        raise UsageError(f"A service cannot run with '{with_}'", remedy="Choose process or docker")
    stages = Stages(on_event)
    if port is not None:
        ready.check_free(port)
    chosen = port or ready.free_port()
    service = _service(reference, with_, chosen)
    if with_ == "docker":
        started = _in_docker(service, chosen, stages)
    else:
        started = _as_process(service, chosen, stages)
    models.save(started)
    return started


def foreground(reference: str, *, port: int | None, on_event: OnEvent = ignore) -> None:
    """Become the service: replaces this process, for a terminal or a process supervisor."""
    root, publication, digest = rerun.unpacked(reference, Stages(on_event))
    place = rerun.place_of(root, publication)
    command = process.command(place.python, root, port or ready.free_port())
    environment = {**place.environment(), "MLOPS_IMAGE_DIGEST": digest}
    os.execve(command[0], command, environment)


def list_services() -> list[Service]:
    """Return the known services, the newest first, each with its state now."""
    return [_now(service) for service in models.load_all()]


def service_log(service_id: str, lines: int = 100) -> ServiceLog:
    """Return the last lines that a service said. Raises ``NotFoundError``, ``ServiceError``."""
    service = models.load(service_id)
    text = (docker if service.with_ == "docker" else process).log(service, max(1, lines))
    return ServiceLog(id=service.id, log=text)


def stop_service(service_id: str) -> Service:
    """Stop a service (it drains first) and forget it. Raises ``NotFoundError``."""
    service = models.load(service_id)
    (docker if service.with_ == "docker" else process).stop(service)
    models.forget(service_id)
    return msgspec.structs.replace(service, state="stopped")


def _service(reference: str, with_: Kind, port: int) -> Service:
    service_id = uuid.uuid4().hex[:12]
    return Service(
        id=service_id,
        reference=reference,
        digest="",
        name="",
        url=f"http://127.0.0.1:{port}",
        with_=with_,
        state="starting",
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        log=str(settings.services() / f"{service_id}.log"),
    )


def _as_process(service: Service, port: int, stages: Stages) -> Service:
    root, publication, digest = rerun.unpacked(service.reference, stages)
    service = msgspec.structs.replace(service, digest=digest, name=publication.name)
    place = rerun.place_of(root, publication)
    environment = {**place.environment(), "MLOPS_IMAGE_DIGEST": digest, "OMP_NUM_THREADS": "1"}
    with stages.stage("start"):
        pid, born = process.start(service, place.python, Path(root), environment, port)
    return msgspec.structs.replace(service, state="ready", pid=pid, born=born)


def _in_docker(service: Service, port: int, stages: Stages) -> Service:
    where = Reference.parse(service.reference)
    repository = open_repository(where)
    digest = chosen(repository, where.version).digest
    service = msgspec.structs.replace(service, digest=digest, name=where.repository)
    with stages.stage("fetch"):
        if where.is_layout:
            name = f"{where.repository or 'publication'}:{digest.partition(':')[2][:12]}"
            image = loading.load(stored_image(repository, digest), name)
        else:
            image = docker.pull(f"{where.name}@{digest}")
    with stages.stage("start"):
        container = docker.start(service, image, port)
    return msgspec.structs.replace(service, state="ready", container=container)


def _now(service: Service) -> Service:
    runs = docker.alive(service) if service.with_ == "docker" else process.alive(service)
    return service if runs else msgspec.structs.replace(service, state="stopped")
