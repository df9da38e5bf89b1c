"""Ask PyPI what is known of one package: pip-audit's client, and a look at what it cannot see.

pip-audit takes an answer without a list of vulnerabilities for "there are none", and any package
of that name and version for the one that is locked. Both are held against the answer here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from jupyter_mlops.environment.asking import VARIANT
from jupyter_mlops.environment.audit.models import Advisory
from jupyter_mlops.errors import shown

#: Where pip-audit believes to be asking.
PYPI = "https://pypi.org"
#: Seconds to connect, and between two pieces of an answer.
PATIENCE = (3.0, 5.0)
_SUMMARY = 160


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one package; ``why`` is the reason where it could not be checked.

    ``lasts`` is false where another try could bring more; ``down`` says that the service cannot
    be reached at all.
    """

    found: list[Advisory] = []
    why: str = ""
    lasts: bool = True
    down: bool = False


class Service:
    """PyPI's advisories at an address. One thread uses it. Raises ``ImportError``: no pip-audit."""

    def __init__(self, address: str = PYPI) -> None:
        import requests
        from pip_audit._audit import Auditor
        from pip_audit._service import PyPIService

        self.name = name_of(address)
        session = requests.Session()
        session.max_redirects = 5
        session.auth = _no_login
        self._door = _Door(session, address.rstrip("/"))
        # A folder that is named is not looked for; the door keeps nothing, so none is made.
        service = PyPIService(cache_dir=Path("unused"), timeout=PATIENCE)
        service.session = self._door
        self._auditor = Auditor(service)

    def ask(self, name: str, version: str, files: Collection[str]) -> Answer:
        """Return what is known of a release; ``files`` are the hashes of those that are locked."""
        from pip_audit._service import ResolvedDependency

        try:
            wanted = Version(version)
        except InvalidVersion:
            return Answer(why="the lock names no version of it")
        variant = wanted.local is not None and VARIANT.fullmatch(wanted.local) is not None
        asked = Version(wanted.public) if variant else wanted
        self._door.expect(name, asked)
        try:
            source = _Source(ResolvedDependency(name, asked))
            (dependency, results), *_ = self._auditor.audit(source)
        except Exception as error:  # private code of another project, and a network
            return self._failed(error)
        if dependency.is_skipped():
            return Answer(why=f"{self.name} does not know it")
        found = _once(_advisory(name, version, each) for each in results)
        if not found and not variant and not self._door.files.issuperset(files):
            return Answer(why=f"its wheel is none of those that {self.name} has of this version")
        return Answer(found=found)

    def _failed(self, error: Exception) -> Answer:
        """Return why there is no answer. What others say of it may hold a proxy's password."""
        import requests
        from pip_audit import _service as theirs

        if isinstance(error, requests.exceptions.SSLError):
            why = f"the certificate of {self.name} is not trusted here"
        elif isinstance(error, requests.exceptions.ProxyError):
            why = f"the proxy does not let us through to {self.name}"
        elif isinstance(error, requests.Timeout):
            return Answer(why=f"{self.name} did not answer in time", lasts=False)
        elif isinstance(error, requests.exceptions.ChunkedEncodingError | _Unreadable | ValueError):
            return Answer(why=f"{self.name} did not answer as PyPI does", lasts=False)
        elif isinstance(error, theirs.ConnectionError | requests.ConnectionError):
            why = f"{self.name} cannot be reached"
        elif isinstance(error.__cause__, requests.HTTPError):
            status = error.__cause__.response.status_code
            return Answer(why=f"{self.name} answered with status {status}", lasts=False)
        else:
            kind = type(error).__name__
            return Answer(why=f"the answer of {self.name} cannot be read ({kind})", lasts=False)
        return Answer(why=why, lasts=False, down=True)


def name_of(address: str) -> str:
    """Return what a person calls the service at an address."""
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or address


class _Unreadable(Exception):
    """The answer is not what PyPI says of the package that was asked for."""


class _Source:
    """What pip-audit takes its dependencies from."""

    def __init__(self, dependency: Any) -> None:
        self._dependency = dependency

    def collect(self) -> Iterator[Any]:
        """Yield the one dependency."""
        yield self._dependency


class _Door:
    """Takes pip-audit's requests to an address, and looks at what comes back.

    ``files`` are the hashes of the files that the service has of the release.
    """

    def __init__(self, session: Any, address: str) -> None:
        self._session, self._address = session, address
        self._name, self._version = "", Version("0")
        self.files: set[str] = set()

    def expect(self, name: str, version: Version) -> None:
        """Say which release the next answer is of."""
        self._name, self._version, self.files = canonicalize_name(name), version, set()

    def get(self, *, url: str, timeout: Any) -> Any:
        """Return the answer to a request. Raises ``_Unreadable``, and what requests raises."""
        address = self._address + url.removeprefix(PYPI)
        response = self._session.get(address, timeout=timeout)
        if response.status_code == 200:
            self._look(response.json())
        elif response.ok:
            raise _Unreadable
        return response

    def _look(self, body: Any) -> None:
        try:
            said = canonicalize_name(body["info"]["name"]), Version(body["info"]["version"])
            listed = isinstance(body["vulnerabilities"], list)
            self.files = {file["digests"]["sha256"] for file in body["urls"]}
        except (KeyError, TypeError, AttributeError, InvalidVersion):
            raise _Unreadable from None
        if said != (self._name, self._version) or not listed:
            raise _Unreadable


def _no_login(request: Any) -> Any:
    """Send no login: requests would take one from .netrc."""
    return request


def _once(advisories: Iterable[Advisory]) -> list[Advisory]:
    """Return each advisory once: PyPI may list it under two names, which become one."""
    found: dict[str, Advisory] = {}
    for each in advisories:
        first = found.setdefault(each.id, each)
        aliases = sorted({*first.aliases, *each.aliases})
        found[each.id] = msgspec.structs.replace(first, aliases=aliases)
    return list(found.values())


def _advisory(name: str, version: str, result: Any) -> Advisory:
    return Advisory(
        package=name,
        version=version,
        id=shown(result.id),
        aliases=sorted(shown(alias) for alias in result.aliases),
        fixed=[str(each) for each in result.fix_versions],
        summary=shown(result.description, _SUMMARY),
    )
