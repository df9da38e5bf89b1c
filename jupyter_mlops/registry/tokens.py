"""Access tokens: how a registry's challenge is answered (distribution spec, "token" auth)."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.registry import credentials as _credentials
from jupyter_mlops.registry.failures import refused, unreachable

_PARAMETER = re.compile(r'([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
#: Seconds before its end at which a token counts as expired; what registries promise at least.
_EARLY, _LIFETIME = 10.0, 60.0
#: Seconds that a token server has for its whole answer, however often it says a little.
DEADLINE = 60.0


@dataclass(frozen=True)
class Challenge:
    """What a 401 asks for."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def parse_challenge(response: httpx.Response) -> Challenge | None:
    """Read the ``WWW-Authenticate`` headers; Bearer is preferred to Basic."""
    found = None
    for value in response.headers.get_list("www-authenticate"):
        scheme, _, rest = value.strip().partition(" ")
        fields = {key.lower(): quoted or plain for key, quoted, plain in _PARAMETER.findall(rest)}
        if scheme.lower() == "bearer" and _is_url(fields.get("realm", "")):
            return Challenge(
                "bearer", fields["realm"], fields.get("service", ""), fields.get("scope", "")
            )
        if scheme.lower() == "basic":
            found = Challenge("basic")
    return found


class Tokens:
    """The ``Authorization`` headers of one registry; safe between threads."""

    def __init__(self, registry: str, client: httpx.Client, *, plain: bool) -> None:
        self._registry = registry
        self._client = client
        self._plain = plain
        self._challenge: Challenge | None = None
        self._tokens: dict[tuple[str, ...], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def header(self, scopes: tuple[str, ...]) -> str | None:
        """Return what to send at once: nothing before the registry asked for it."""
        challenge = self._challenge
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            found = _credentials.find(self._registry, _repository(scopes))
            return found.basic if found else None
        with self._lock:
            return self._token(challenge, scopes)

    def answer(self, response: httpx.Response, scopes: tuple[str, ...]) -> str | None:
        """Return the header that answers a 401, or None when there is nothing new to say."""
        challenge = parse_challenge(response)
        if challenge is None:
            return None
        sent = response.request.headers.get("authorization")
        with self._lock:
            self._challenge = challenge
            known = self._tokens.get(scopes)
            if known and sent == f"Bearer {known[0]}":
                del self._tokens[scopes]
        header = self.header(scopes or ((challenge.scope,) if challenge.scope else ()))
        return None if header == sent else header

    def forget(self) -> None:
        """Drop all tokens: the next request fetches another."""
        with self._lock:
            self._tokens.clear()

    def _token(self, challenge: Challenge, scopes: tuple[str, ...]) -> str:
        known = self._tokens.get(scopes)
        if known and time.monotonic() < known[1]:
            return f"Bearer {known[0]}"
        found = _credentials.find(self._registry, _repository(scopes))
        if found and challenge.realm.startswith("http://") and not self._plain:
            raise RegistryError(
                f"Registry {self._registry} wants its password sent without encryption",
                why=f"Its token server is {httpx.URL(challenge.realm).host} over plain HTTP",
                remedy="Ask its operator to give the token server TLS",
            )
        try:
            response = _in_time(lambda: self._fetch(challenge, scopes, found))
        except httpx.TransportError as error:
            raise unreachable(httpx.URL(challenge.realm).host, error) from error
        if response.status_code != 200:
            raise refused(self._registry, "to give an access token", response)
        try:
            value = response.json()
            token = str(value.get("token") or value["access_token"])
            lifetime = float(value.get("expires_in") or _LIFETIME)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise RegistryError(
                f"The token server of registry {self._registry} gave no token"
            ) from None
        self._tokens[scopes] = (token, time.monotonic() + max(lifetime - _EARLY, 1.0))
        return f"Bearer {token}"

    def _fetch(
        self,
        challenge: Challenge,
        scopes: tuple[str, ...],
        found: _credentials.Credentials | None,
    ) -> httpx.Response:
        if found and found.identity_token:
            form = {
                "grant_type": "refresh_token", "service": challenge.service,
                "client_id": "jupyter-mlops", "scope": " ".join(scopes),
                "refresh_token": found.identity_token,
            }  # fmt: skip
            return self._client.post(challenge.realm, data=form)
        query = [("service", challenge.service)] if challenge.service else []
        query += [("scope", scope) for scope in scopes]
        headers = {"authorization": found.basic} if found else {}
        url = httpx.URL(challenge.realm)
        url = url.copy_with(params=[*url.params.multi_items(), *query])
        return self._client.get(url, headers=headers)


def _is_url(text: str) -> bool:
    try:
        return bool(httpx.URL(text).host)
    except httpx.InvalidURL:
        return False


def _in_time(fetch: Callable[[], httpx.Response]) -> httpx.Response:
    """Fetch in a thread that is left to itself when it takes too long.

    Timeouts of reading start anew with each byte: a server that drips would hold a push for ever.
    """
    answers: queue.SimpleQueue[httpx.Response | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(fetch())
        except BaseException as error:
            answers.put(error)

    threading.Thread(target=run, name="token", daemon=True).start()
    try:
        answer = answers.get(timeout=DEADLINE)
    except queue.Empty:
        raise httpx.ReadTimeout("The token server answers too slowly") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _repository(scopes: tuple[str, ...]) -> str:
    parts = scopes[0].split(":") if scopes else []
    return parts[1] if len(parts) == 3 and parts[0] == "repository" else ""
