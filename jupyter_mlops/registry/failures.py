"""What a registry's refusal means for the person: one sentence each, with what to do next."""

from __future__ import annotations

import errno
import ipaddress
import json
import socket
import ssl
import urllib.request
from collections.abc import Iterator

import httpx

from jupyter_mlops.errors import NotFoundError, RegistryError

CA_VARIABLE = "JUPYTER_MLOPS_CA"
INSECURE_VARIABLE = "JUPYTER_MLOPS_INSECURE_REGISTRIES"
#: Codes that say that a manifest names blobs which are not there (yet).
UNKNOWN_BLOB = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})


def is_loopback(registry: str) -> bool:
    """Tell whether a registry is on this machine."""
    host = httpx.URL(f"//{registry}").host
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything that led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def is_final(error: httpx.TransportError) -> bool:
    """Tell whether trying again cannot help: an unknown host, a certificate, a proxy's no."""
    if isinstance(error, httpx.ProxyError) and str(error).startswith("4"):
        return True
    return any(isinstance(item, socket.gaierror | ssl.SSLError) for item in chain(error))


def unreachable(registry: str, error: Exception) -> RegistryError:
    """Say why no connection came about or why it broke."""
    if isinstance(error, httpx.ProxyError):
        return _not_let_through(registry, str(error))
    proxy = _proxy(registry)
    for item in chain(error):
        if isinstance(item, ssl.SSLCertVerificationError):
            return _untrusted(registry, item)
        if isinstance(item, ssl.SSLError):
            return RegistryError(
                f"Registry {registry} does not speak TLS",
                why=item.reason or str(item),
                remedy=f"Set {INSECURE_VARIABLE}={registry} if plain HTTP is intended",
            )
        if isinstance(item, socket.gaierror | ConnectionRefusedError) and proxy:
            return RegistryError(
                f"Registry {registry} is not reachable through the proxy {proxy}",
                why="The proxy itself does not answer",
                remedy="Check HTTPS_PROXY and HTTP_PROXY, or name the registry in NO_PROXY",
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


def nonsense(registry: str, why: str) -> RegistryError:
    """Say that an answer does not make sense."""
    return RegistryError(
        f"Registry {registry} gave an answer that cannot be understood",
        why=why,
        remedy="Check that a registry is at this address, or ask its operator",
    )


def _untrusted(registry: str, error: ssl.SSLCertVerificationError) -> RegistryError:
    remedy = f"Set {CA_VARIABLE} to the file of the certificate authority that signed it"
    if error.verify_code in _DATES:
        remedy = "Check the clock of this machine, or ask the registry's operator to renew it"
    return RegistryError(
        f"The certificate of registry {registry} is not trusted",
        why=error.verify_message or "It cannot be verified",
        remedy=remedy,
    )


#: What OpenSSL says of a certificate that is not valid yet, or no longer.
_DATES = (9, 10)


def _not_let_through(registry: str, said: str) -> RegistryError:
    """Say what a proxy's refusal means; ``said`` is its status line."""
    if said.startswith("407"):
        return RegistryError(
            f"The proxy before registry {registry} does not know you",
            why="It wants a user name and a password, or others than those it was given",
            remedy="Set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT, special characters as %XX",
        )
    return RegistryError(
        f"The proxy does not let anything through to registry {registry}",
        why=f"It answers {said}",
        remedy="Ask its operator, or name the registry in NO_PROXY",
    )


def _proxy(registry: str) -> str:
    """Return the proxy that leads to a registry as host:port, without its password; or nothing."""
    url = httpx.URL(f"https://{registry}")
    found = urllib.request.getproxies()
    proxy = found.get("https") or found.get("all") or ""
    if not proxy or is_loopback(registry) or urllib.request.proxy_bypass(url.host):
        return ""
    parsed = httpx.URL(proxy if "://" in proxy else f"http://{proxy}")
    return f"{parsed.host}:{parsed.port}" if parsed.port else parsed.host


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
    if status == 407:
        return _not_let_through(registry, "407")
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
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, httpx.StreamError):
        return "", set()
