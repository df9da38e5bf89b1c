"""A service as a container of a Docker engine: read-only, without privileges, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_mlops.deploy import ready
from jupyter_mlops.deploy.models import Service
from jupyter_mlops.errors import ServiceError
from jupyter_mlops.image.contents import PORT

LABEL = "io.jupyter-mlops.service"
STOP_SECONDS = 15


@contextmanager
def engine() -> Iterator[Any]:
    """Yield a client of the Docker engine. Raises ``ServiceError`` when none answers."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env()
    except DockerException as error:
        raise ServiceError(
            "No Docker engine answers",
            why=str(error).splitlines()[0],
            remedy="Start Docker, or serve as a plain process: --with process",
        ) from None
    try:
        yield client
    except DockerException as error:
        raise ServiceError(
            "The Docker engine refused", why=str(getattr(error, "explanation", None) or error)
        ) from None
    finally:
        client.close()


def pull(image: str) -> str:
    """Have the engine pull an image from its registry; return the image's id."""
    with engine() as client:
        return str(client.images.pull(image).id)


def start(service: Service, image: str, port: int) -> str:
    """Run an image the engine has, wait until it is ready, and return the container's id.

    Raises ``ServiceError``, and leaves no container behind, when it does not become ready.
    """
    with engine() as client:
        container = client.containers.run(
            image,
            detach=True,
            read_only=True,
            tmpfs={"/tmp": "rw,nosuid,nodev,size=512m,mode=1777"},
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            ports={f"{PORT}/tcp": ("127.0.0.1", port)},
            # Its port is open to this machine only, though it is beyond the container's loopback.
            environment={"MLOPS_IMAGE_DIGEST": service.digest, "MLOPS_OPEN": "1"},
            labels={LABEL: service.id},
        )
        try:
            ready.wait(service.url, lambda: _runs(container), lambda: _log(container))
        except BaseException:
            container.remove(force=True)
            raise
        return str(container.id)


def alive(service: Service) -> bool:
    """Tell whether the service's container runs; false where the engine is gone."""
    from docker.errors import DockerException

    try:
        with engine() as client:
            return _runs(client.containers.get(service.container))
    except (ServiceError, DockerException):
        return False


def stop(service: Service) -> None:
    """Stop the container (SIGTERM, then SIGKILL after 15 s) and remove it."""
    from docker.errors import NotFound

    with engine() as client:
        try:
            container = client.containers.get(service.container)
        except NotFound:
            return
        container.stop(timeout=STOP_SECONDS)
        container.remove(force=True)


def _runs(container: Any) -> bool:
    container.reload()
    return bool(container.status in {"created", "running"})


def log(service: Service, lines: int) -> str:
    """Return the last lines that the container said. Raises ``ServiceError`` where it is gone."""
    from docker.errors import NotFound

    with engine() as client:
        try:
            return _log(client.containers.get(service.container), lines)
        except NotFound:
            raise ServiceError(
                "The container of this service is gone, and its log with it",
                remedy=f"Forget the service: jupyter mlops stop {service.id}",
            ) from None


def _log(container: Any, lines: int = 20) -> str:
    return bytes(container.logs(tail=lines)).decode("utf-8", errors="replace")
