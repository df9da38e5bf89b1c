"""What a registry's refusal means for the person: one sentence each, with what to do next."""

from __future__ import annotations

import errno
import json
import socket
import ssl
from collections.abc import Iterator

import httpx

from jupyter_mlops.errors import NotFoundError, RegistryError

CA_VARIABLE = "JUPYTER_MLOPS_CA"
INSECURE_VARIABLE = "JUPYTER_MLOPS_INSECURE_REGISTRIES"
#: Codes that say that a manifest names blobs which are not there (yet).
UNKNOWN_BLOB = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything that led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def is_final(error: httpx.TransportError) -> bool:
    """Tell whether trying again cannot help: an unknown host, a certificate."""
    return any(isinstance(item, socket.gaierror | ssl.SSLError) for item in chain(error))


def unreachable(registry: str, error: Exception) -> RegistryError:
    """Say why no connection came about or why it broke."""
    for item in chain(error):
        if isinstance(item, ssl.SSLCertVerificationError):
            return _untrusted(registry, item)
        if isinstance(item, ssl.SSLError):
            return RegistryError(
                f"Registry {registry} does not speak TLS",
                why=item.reason or str(item),
                remedy=f"Set {INSECURE_VARIABLE}={registry} if plain HTTP is intended",
            )
        if isinstance(item, socket.gaierror):
            return RegistryError(
                f"Registry {registry} is not known",
                why="Its name has no address in the DNS",
                remedy="Check the spelling, or the network",
            )
        if isinstance(item, ConnectionRefusedError):
            return RegistryError(
                f"Registry {registry} is not reachable",
                why="Nothing listens there",
                remedy="Check host and port, or start the registry",
            )
    why = "It does not answer in time" if isinstance(error, httpx.TimeoutException) else ""
    return RegistryError(
        f"The connection to registry {registry} failed",
        why=why or str(error) or type(error).__name__,
        remedy="Try again; behind a proxy, set HTTPS_PROXY",
    )


def _untrusted(registry: str, error: ssl.SSLCertVerificationError) -> RegistryError:
    return RegistryError(
        f"The certificate of registry {registry} is not trusted",
        why=error.verify_message or "It cannot be verified",
        remedy=f"Set {CA_VARIABLE} to the file of the certificate authority that signed it",
    )


def refused(registry: str, what: str, response: httpx.Response) -> RegistryError:
    """Say what a response that is not a success means; ``what`` is what was attempted."""
    status, said, codes = response.status_code, *_said(response)
    problem, where = f"Registry {registry} refuses {what}", str(response.url.copy_with(query=None))
    if status == 401:
        return RegistryError(
            f"Registry {registry} does not know you",
            why=said or "It wants a user name and a password",
            remedy=f"Log in: docker login {registry}",
        )
    if status == 403 or "DENIED" in codes:
        return RegistryError(
            problem,
            why=said or "You may not do that there",
            remedy=f"Ask its owner for the right, or log in as another user: "
            f"docker login {registry}",
        )
    if status == 404:
        return NotFoundError(
            f"{what} is not possible: it is not in registry {registry}", why=said, where=where
        )
    if status == 413:
        return RegistryError(
            problem,
            why="The body is larger than the registry, or a proxy before it, accepts",
            remedy="Ask its operator to raise the limit (client_max_body_size in nginx)",
        )
    if status == 429:
        return RegistryError(
            f"Registry {registry} has had too many requests",
            why=said,
            remedy=f"Wait, or log in for a higher limit: docker login {registry}",
        )
    if status == 507 or any(sign in said.lower() for sign in _FULL):
        return RegistryError(
            f"Registry {registry} has no space left",
            why=said,
            remedy="Ask its operator for space, then publish again: it goes on where it stopped",
        )
    if status >= 500:
        return RegistryError(
            f"Registry {registry} failed at {what}",
            why=f"HTTP {status}" + (f": {said}" if said else ""),
            remedy="Try again later, or ask its operator",
        )
    return RegistryError(problem, why=f"HTTP {status}" + (f": {said}" if said else ""), where=where)


_FULL = ("no space left", "disk quota", "storage full", f"errno {errno.ENOSPC}")


def codes(response: httpx.Response) -> set[str]:
    """Return the error codes of a response (distribution spec, "Error Codes")."""
    return _said(response)[1]


def _said(response: httpx.Response) -> tuple[str, set[str]]:
    """Return what the body says, shortened, and its error codes."""
    try:
        errors = json.loads(response.content)["errors"]
        texts, found = [], set()
        for item in errors:
            found.add(str(item.get("code", "")))
            texts.append(str(item.get("message") or item.get("code") or ""))
            detail = item.get("detail")
            if isinstance(detail, dict) and "no space left" in json.dumps(detail):
                texts.append("no space left on device")
        return "; ".join(filter(None, texts))[:300], found
    except (ValueError, KeyError, TypeError, AttributeError, httpx.ResponseNotRead):
        return "", set()
