"""The token: who may call, and how a browser comes by it."""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from jupyter_mlops.runtime import answers, bodies

# What a probe must reach without a secret.
OPEN = (
    *("/ping", "/health", "/health/live", "/health/ready"),
    *("/v2/health/live", "/v2/health/ready"),
)
COOKIE = "mlops_token"
ASK = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Token</title>
<body><h1>This service asks for its token</h1>
<p>It stands in the service's log, or whoever runs the service knows it.</p>
<form method="get" action=""><label>Token <input type="password" name="token" autofocus required>
</label> <button>Open</button></form></body></html>"""


class Guard:
    """Knows who may call; with an empty token, everybody."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def admits(self, scope: Scope) -> bool:
        """Tell whether a request may pass."""
        if not self._token or scope["path"] in OPEN:
            return True
        given = bodies.header(scope, b"authorization").encode("latin-1")
        kind, _, told = given.partition(b" ")
        if kind.lower() == b"bearer" and self._is(told.strip()):
            return True
        return self._is(_cookie(bodies.header(scope, b"cookie")))

    def _is(self, given: bytes) -> bool:
        return hmac.compare_digest(given, self._token)

    def refusal(self, scope: Scope) -> Response:
        """Answer one that may not pass: a browser is asked, and remembers the token."""
        if scope["path"] == "/" and scope["method"] == "GET":
            query = parse_qs(scope["query_string"].decode("latin-1"))
            if self._is(query.get("token", [""])[0].encode()):
                # The address without the token: it is not to be seen, sent on or kept.
                answer = RedirectResponse("/", 303)
                answer.set_cookie(COOKIE, self._token.decode(), httponly=True, samesite="strict")
                return answer
            if "text/html" in bodies.header(scope, b"accept"):
                policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'"
                return HTMLResponse(ASK, 401, {"Content-Security-Policy": policy})
        return answers.problem(
            401,
            "Send the service's token: `Authorization: Bearer TOKEN`.",
            {"WWW-Authenticate": "Bearer"},
        )


def _cookie(text: str) -> bytes:
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return b""
    return found.value.encode() if found is not None else b""
