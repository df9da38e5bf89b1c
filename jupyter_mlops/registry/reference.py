"""References: the text that names an image in a registry or in a layout directory."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from jupyter_mlops.errors import UsageError

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HOST = re.compile(
    r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?"
)
_EXAMPLE = "Write registry.example.org/team/name:tag, or oci:DIRECTORY:name:tag"


@dataclass(frozen=True)
class Reference:
    """Where an image is: ``registry/repository[:tag][@digest]`` or in a layout directory.

    For a layout (``oci:DIRECTORY[:[repository:]tag][@digest]``) ``registry`` is empty and
    ``directory`` holds the directory as it was written; ``repository`` may then be empty.
    """

    registry: str = ""
    repository: str = ""
    tag: str | None = None
    digest: str | None = None
    directory: str | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a reference; raises UsageError that says what is wrong with it."""
        if text.startswith("oci:"):
            return _parse_layout(text)
        if "://" in text:
            _refuse(text, "A reference has no scheme", f"Leave out {text.partition('://')[0]}://")
        rest, tag, digest = _split(text)
        host, slash, repository = rest.partition("/")
        if not host or re.search(r"\s", text):
            _refuse(text, "It is empty or has spaces in it", _EXAMPLE)
        if not is_host(host):
            _refuse(
                text,
                "It does not start with a registry, and none is guessed",
                f"Write registry.example.org/{rest}, or docker.io/… for Docker Hub",
            )
        if not slash or not repository:
            _refuse(text, "The repository is missing behind the registry", _EXAMPLE)
        if host == "docker.io" and "/" not in repository:
            repository = f"library/{repository}"
        return cls(
            registry=host,
            repository=_checked_repository(repository, text),
            tag=tag,
            digest=digest,
        )

    @classmethod
    def below(cls, registry: str, repository: str, tag: str | None = None) -> Reference:
        """Return the reference of ``repository`` in a registry, in a prefix of one, or a layout.

        ``registry`` is ``host``, ``host/prefix`` or ``oci:DIRECTORY``. Raises UsageError.
        """
        prefix = registry.rstrip("/")
        if prefix.startswith("oci:"):
            if ":" in prefix[4:]:
                _refuse(registry, "A registry directory has no tag", "Write oci:DIRECTORY")
            return cls.parse(f"{prefix}:{repository}:{tag or ''}")
        return cls.parse(f"{prefix}/{repository}" + (f":{tag}" if tag else ""))

    @property
    def is_layout(self) -> bool:
        """Whether the image is in a directory."""
        return self.directory is not None

    @property
    def path(self) -> Path:
        """The layout directory, absolute."""
        return Path(self.directory or "").expanduser().absolute()

    @property
    def version(self) -> str:
        """What to look up: the digest if there is one, else the tag, else ``latest``."""
        return self.digest or self.tag or "latest"

    @property
    def name(self) -> str:
        """The reference without tag and digest."""
        if self.directory is None:
            return f"{self.registry}/{self.repository}"
        return f"oci:{self.directory}" + (f":{self.repository}" if self.repository else "")

    @property
    def public_name(self) -> str:
        """The name that may be told elsewhere: a directory of this machine is not part of it."""
        return self.repository if self.is_layout else self.name

    def with_tag(self, tag: str | None) -> Reference:
        """Return the reference of another tag, without a digest."""
        if tag is not None:
            _checked_tag(tag, f"{self.name}:{tag}")
        return dataclasses.replace(self, tag=tag, digest=None)

    def with_digest(self, digest: str) -> Reference:
        """Return the reference of exactly one image, keeping the tag as a note.

        In a directory without a repository it is left out: ``oci:DIRECTORY@sha256:…`` says it all.
        """
        if not _DIGEST.fullmatch(digest):
            _refuse(f"{self.name}@{digest}", "The digest is not sha256 and 64 digits", _EXAMPLE)
        tag = self.tag if self.repository else None
        return dataclasses.replace(self, tag=tag, digest=digest)

    def __str__(self) -> str:
        """Return the text that ``parse`` reads back."""
        text = self.name
        if self.directory is None:
            text += f":{self.tag}" if self.tag else ""
        elif self.repository and (self.tag or not self.digest):
            text += f":{self.tag or ''}"
        elif self.tag:
            # With a digest, one piece alone would be the repository.
            text += f"::{self.tag}" if self.digest else f":{self.tag}"
        return text + (f"@{self.digest}" if self.digest else "")


def is_host(text: str) -> bool:
    """Tell whether the first part of a reference is a registry and not a name."""
    known = "." in text or ":" in text or text == "localhost"
    return known and _HOST.fullmatch(text) is not None


def _split(text: str) -> tuple[str, str | None, str | None]:
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        _refuse(text, "The digest behind @ is not sha256: and 64 hexadecimal digits", _EXAMPLE)
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag or "/" not in head:
        return rest, None, digest or None
    return head, _checked_tag(tag, text), digest or None


def _parse_layout(text: str) -> Reference:
    rest, digest = text.removeprefix("oci:"), None
    head, at, tail = rest.rpartition("@")
    if at and _DIGEST.fullmatch(tail):
        rest, digest = head, tail
    elif at and tail.startswith("sha256:"):
        _refuse(text, "The digest behind @ is not sha256: and 64 hexadecimal digits", _EXAMPLE)
    directory, *pieces = rest.split(":")
    if not directory or "\0" in directory:
        _refuse(text, "The directory is missing", "Write oci:DIRECTORY or oci:DIRECTORY:name:tag")
    if len(pieces) > 2:
        _refuse(text, "There is more than a name and a tag behind the directory", _EXAMPLE)
    repository, tag = "", ""
    if len(pieces) == 2:
        repository, tag = pieces
    elif pieces and digest:
        repository = pieces[0]
    elif pieces:
        tag = pieces[0]
        if not tag:
            _refuse(text, "The tag is missing behind the last colon", _EXAMPLE)
    return Reference(
        repository=_checked_repository(repository, text) if repository else "",
        tag=_checked_tag(tag, text) if tag else None,
        digest=digest,
        directory=directory,
    )


def _checked_repository(name: str, text: str) -> str:
    if name != name.lower():
        _refuse(text, "A repository is written in lower case", f"Write {name.lower()}")
    for part in name.split("/"):
        if not part:
            _refuse(text, "A part of the repository between two / is empty", _EXAMPLE)
        if not _COMPONENT.fullmatch(part):
            _refuse(
                text,
                f"{part!r} is not a part of a repository's name",
                "Use a-z and 0-9, with single . _ or - between them",
            )
    if len(name) > 255:
        _refuse(text, "The repository's name is longer than 255 characters", "Shorten it")
    return name


def _checked_tag(tag: str, text: str) -> str:
    if not _TAG.fullmatch(tag):
        _refuse(
            text,
            f"{tag!r} is not a tag",
            "A tag has up to 128 letters, digits, _ . or -, and starts with no . or -",
        )
    return tag


def _refuse(text: str, why: str, remedy: str) -> NoReturn:
    raise UsageError(f"{text!r} is not an image reference", why=why, remedy=remedy)
