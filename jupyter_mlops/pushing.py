"""Sends what was built to where it is published; the tags go last."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from jupyter_mlops.attest import signature
from jupyter_mlops.attest.keys import PrivateKey
from jupyter_mlops.events import OnEvent, Progress
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import Artifact
from jupyter_mlops.registry.catalog import next_version
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference


def push(
    image: Image | Index,
    attached: Sequence[Sequence[Artifact]],
    place: Reference,
    signer: PrivateKey | None,
    on_event: OnEvent,
) -> tuple[int, int]:
    """Push everything and what vouches for it, then the version's tag, then the tag asked for.

    Returns the bytes sent and the version. No tag ever points to an image without its papers.
    """
    repository = open_repository(place)
    with ThreadPoolExecutor(3, thread_name_prefix="vouch") as pool:
        numbering = pool.submit(next_version, repository, image.digest)
        vouching = [pool.submit(repository.attach, papers) for papers in attached]
        if signer:
            name, digests = place.public_name, {image.digest, *(i.digest for i in image.images)}
            vouching += [
                pool.submit(signature.attach, repository, digest, name, signer)
                for digest in sorted(digests)
            ]
        pushed = repository.push(
            image,
            [place.version],
            lambda done, total, label: on_event(
                Progress(stage="push", done=done, total=total, unit="bytes", label=label)
            ),
            before_tags=lambda: _vouched(vouching, numbering),
        )
    version, _ = numbering.result()
    return pushed.pushed_bytes + sum(each.result() for each in vouching), version


def _vouched(vouching: Sequence[Future[int]], numbering: Future[tuple[int, bool]]) -> list[str]:
    """Wait until all of it is done and return the version's tag; raises what was raised."""
    for each in vouching:
        each.result()
    return [f"v{numbering.result()[0]}"]
