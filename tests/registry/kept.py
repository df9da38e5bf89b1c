"""What is left of versions: whole, or gone with all that is attached."""

from __future__ import annotations

import pytest

from jupyter_mlops.catalog import Retention
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import fallback_tag
from jupyter_mlops.image.repository import Repository, read_blob
from tests.registry.places import papers_of


def staying(found: Retention) -> list[int | None]:
    return [item.version for item in found.publications if item.stays]


def pointers(repository: Repository) -> dict[str, str]:
    return {name: repository.resolve(name).digest for name in repository.tags()}


def assert_whole(repository: Repository, image: Image) -> None:
    """Everything of an image is there and can be read, its papers and signature, too."""
    assert repository.manifest_bytes(image.digest) == image.manifest
    for blob in image.blobs():
        read_blob(repository, blob.descriptor.digest)
    for item in papers_of(image):
        subject = item.subject.digest
        listed = [found.manifest.digest for found in repository.referrers(subject)]
        assert listed == [item.manifest.descriptor.digest]
        repository.manifest(item.manifest.descriptor.digest)
        read_blob(repository, item.payload.descriptor.digest)
    repository.manifest(f"{fallback_tag(image.digest)}.sig")


def assert_gone(repository: Repository, image: Image) -> None:
    """Neither the image is there nor anything that was attached to it."""
    papers = [item.manifest.descriptor.digest for item in papers_of(image)]
    for digest in (image.digest, *papers):
        with pytest.raises(NotFoundError):
            repository.manifest(digest)
        assert not [name for name in repository.tags() if fallback_tag(digest) in name]
