"""HTTP to one registry: TLS, authentication, retries. Knows nothing of images."""

from __future__ import annotations

import datetime
import email.utils
import functools
import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import certifi
import httpx

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.registry.failures import (
    CA_VARIABLE,
    INSECURE_VARIABLE,
    chain,
    is_final,
    is_loopback,
    nonsense,
    refused,
    unreachable,
)
from jupyter_mlops.registry.tokens import Tokens

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
ATTEMPTS = 5
#: Seconds: the longest single wait before a retry, and the longest pauses of an upload or answer.
LONGEST_WAIT, CONNECT, SILENCE = 30.0, 10.0, 60.0
#: Bytes of an answer that is read whole: manifests, lists.
ANSWER_LIMIT = 8 << 20
#: Pages of a list, of 1000 entries each where the registry gives as many as it is asked for.
MOST_PAGES = 10_000
#: Seconds that such an answer may take as a whole.
ANSWER_TIME = 120.0
_HUB = {"docker.io": "registry-1.docker.io"}

Content = Callable[[], Iterable[bytes]] | bytes | None


def may_be_plain(registry: str) -> bool:
    """Tell whether plain HTTP is allowed: on this machine, or where the operator said so."""
    listed = os.environ.get(INSECURE_VARIABLE, "").split(",")
    return is_loopback(registry) or registry in (item.strip() for item in listed)


def tls_context() -> ssl.SSLContext:
    """Return the trust in certificates: SSL_CERT_FILE or REQUESTS_CA_BUNDLE, else the system's.

    The authority in JUPYTER_MLOPS_CA is added to it. Raises RegistryError for an unreadable file.
    """
    env = os.environ
    return _context(
        env.get("SSL_CERT_FILE") or env.get("REQUESTS_CA_BUNDLE") or "",
        env.get("SSL_CERT_DIR") or "",
        env.get(CA_VARIABLE) or "",
    )


@functools.lru_cache(maxsize=4)  # reading the system's authorities takes tens of milliseconds
def _context(file: str, folder: str, own: str) -> ssl.SSLContext:
    try:
        if file and Path(file).is_file():
            context = ssl.create_default_context(cafile=file)
        else:
            context = ssl.create_default_context()
            context.load_verify_locations(cafile=certifi.where())
        if folder and Path(folder).is_dir():
            context.load_verify_locations(capath=folder)
        if own:
            context.load_verify_locations(cafile=own)
    except OSError as error:
        raise RegistryError(
            "The file of a certificate authority cannot be read",
            why=str(error),
            remedy=f"Check {CA_VARIABLE} and SSL_CERT_FILE",
        ) from error
    return context


def wait_before(attempt: int, response: httpx.Response | None = None) -> float:
    """Return the seconds to wait before a retry; what ``Retry-After`` says is followed."""
    asked = _retry_after(response) if response is not None else None
    if asked is not None:
        return asked
    return min(LONGEST_WAIT, 0.2 * 2.0**attempt) * random.uniform(0.5, 1.0)


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    moment = _date(text)
    if moment is None:
        return None
    # By the registry's own clock, which need not be this machine's.
    now = _date(response.headers.get("date", "")) or datetime.datetime.now(datetime.UTC)
    return max(0.0, (moment - now).total_seconds())


def _date(text: str) -> datetime.datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _client(registry: str) -> httpx.Client:
    try:
        return httpx.Client(
            verify=tls_context(),
            timeout=httpx.Timeout(SILENCE, connect=CONNECT, pool=None),
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
            headers={"user-agent": "jupyter-mlops", "accept-encoding": "identity"},
            trust_env=not is_loopback(registry),  # a proxy does not know this machine's ports
            follow_redirects=False,
        )
    except (httpx.InvalidURL, ValueError, ImportError):
        # Without what httpx says: it quotes parts of the URL, maybe of its password.
        raise RegistryError(
            f"The proxy before registry {registry} cannot be used",
            why="HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not the URL of an HTTP proxy",
            remedy="Write http://USER:PASSWORD@HOST:PORT, special characters as %XX",
        ) from None


class Transport:
    """Requests to one registry, with its certificates, credentials and bad days."""

    #: Replaced in tests.
    sleep = staticmethod(time.sleep)

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self._client = _client(registry)
        self._tokens = Tokens(registry, self._client, plain=may_be_plain(registry))
        self._root = ""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def root(self) -> str:
        """Return ``scheme://host`` of the registry; plain HTTP only where it is allowed."""
        with self._lock:
            if not self._root:
                host = _HUB.get(self.registry, self.registry)
                self._root = f"https://{host}"
                if may_be_plain(self.registry) and not self._speaks_tls(host):
                    self._root = f"http://{host}"
            return self._root

    def _speaks_tls(self, host: str) -> bool:
        try:
            self._client.get(f"https://{host}/v2/")
        except httpx.TransportError as error:
            # An untrusted certificate is a reason to stop, not to go without encryption.
            return any(isinstance(item, ssl.SSLCertVerificationError) for item in chain(error))
        return True

    def forget_tokens(self) -> None:
        """Fetch new access tokens from now on."""
        self._tokens.forget()

    def request(
        self, method: str, path: str, *, what: str, scopes: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None, content: bytes | None = None,
        accept: Iterable[int] = (200,), attempts: int = ATTEMPTS,
    ) -> httpx.Response:  # fmt: skip
        """Send a request that may be repeated; return its answer, read whole.

        ``path`` is below the registry's root, or a URL. Raises RegistryError for any status that is
        not in ``accept``, in words made with ``what``.
        """
        for attempt in range(attempts):
            last = attempt == attempts - 1
            try:
                with self.once(
                    method, path, scopes=scopes, headers=headers, content=content
                ) as unread:
                    response = _read(unread, self.registry)
            except httpx.TransportError as error:
                if last or is_final(error):
                    raise unreachable(self.registry, error) from error
                self.sleep(wait_before(attempt))
                continue
            if response.status_code in accept:
                return response
            if last or response.status_code not in RETRIED:
                raise refused(self.registry, what, response)
            self.pause(attempt, response, what)
        raise AssertionError("unreachable")

    def pause(self, attempt: int, response: httpx.Response | None, what: str) -> None:
        """Wait before a retry; raises RegistryError when the registry wants too long a wait."""
        seconds = wait_before(attempt, response)
        if response is not None and seconds > LONGEST_WAIT:
            raise RegistryError(
                f"Registry {self.registry} asks to wait {seconds:.0f} seconds with {what}",
                remedy="Publish again after that",
            )
        self.sleep(seconds)

    @contextmanager
    def once(
        self, method: str, path: str, *, scopes: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None, content: Content = None, challenge: bool = True,
        silence: float = 0.0,
    ) -> Iterator[httpx.Response]:  # fmt: skip
        """Send a request and yield its answer unread; no retry but the one that a 401 asks for.

        With ``challenge=False`` a 401 is yielded as it is. ``silence`` is how many seconds the
        registry may say nothing, if that is more than SILENCE. Raises httpx.TransportError.
        """
        url = httpx.URL(self.root()).join(path)
        sent = dict(headers or {})
        own = _same_origin(url, self.root())  # no other host gets a token, or asks for one
        token = self._tokens.header(scopes) if own else None
        if token:
            sent["authorization"] = token
        response = self._send(method, url, sent, content, silence)
        try:
            if response.status_code == 401 and challenge and own:
                response.read()
                token = self._tokens.answer(response, scopes)
                if token:
                    response.close()
                    sent["authorization"] = token
                    response = self._send(method, url, sent, content, silence)
            for _ in range(5):
                location = response.headers.get("location")
                if method not in ("GET", "HEAD") or not response.is_redirect or not location:
                    break
                target = joined(response, location)
                if not _same_origin(target, self.root()):
                    sent.pop("authorization", None)  # another host's storage: no token of ours
                response.close()
                response = self._send(method, target, sent, None, silence)
            yield response
        except httpx.DecodingError as error:
            raise nonsense(
                self.registry, "Its body is not compressed as its header says"
            ) from error
        finally:
            response.close()

    def _send(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: Content,
        silence: float,
    ) -> httpx.Response:  # fmt: skip
        body = content() if callable(content) else content
        limits = httpx.Timeout(SILENCE, connect=CONNECT, read=max(silence, SILENCE), pool=None)
        request = self._client.build_request(
            method, url, headers=headers, content=body, timeout=limits
        )
        return self._client.send(request, stream=True)


def joined(response: httpx.Response, location: str) -> httpx.URL:
    """Return where a header of an answer leads to; raises RegistryError when that is no URL."""
    try:
        return response.url.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise nonsense(response.url.netloc.decode(), "An address in it is none") from error


def next_page(response: httpx.Response, seen: set[str]) -> str:
    """Return the URL of the next page of a list (RFC 5988 ``Link``), or an empty text.

    ``seen`` are the pages so far; raises RegistryError when they do not end.
    """
    seen.add(str(response.url))
    link = response.links.get("next", {}).get("url", "")
    page = str(joined(response, link)) if link else ""
    if page in seen or len(seen) > MOST_PAGES:
        raise RegistryError(
            f"Registry {response.url.host} gives a list without end",
            why="The next page is one that it gave before, or there are too many",
            remedy="Ask its operator",
        )
    return page


def _same_origin(url: httpx.URL, root: str) -> bool:
    other = httpx.URL(root)
    return (url.scheme, url.host, url.port) == (other.scheme, other.host, other.port)


def _read(response: httpx.Response, registry: str) -> httpx.Response:
    data, end = bytearray(), time.monotonic() + ANSWER_TIME
    # A 401 was read already, when its challenge could not be answered.
    chunks = (response.content,) if response.is_stream_consumed else response.iter_raw()
    for chunk in chunks:
        data += chunk
        if len(data) > ANSWER_LIMIT:
            raise RegistryError(f"Registry {registry} gave an answer larger than {ANSWER_LIMIT}")
        if time.monotonic() > end:
            raise httpx.ReadTimeout("The answer comes too slowly", request=response.request)
    return httpx.Response(
        response.status_code,
        headers=response.headers,
        content=bytes(data),
        request=response.request,
    )
