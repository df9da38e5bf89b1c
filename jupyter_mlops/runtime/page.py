"""The page for people at ``/``: what this is, what it measured, and forms to try it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from jupyter_mlops.runtime.openapi import sample_request
from jupyter_mlops.runtime.parameters import Parameter, limits_text, type_text
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.runtime.served import Served

# Template, style and script are files of their own: each is one language.
_HERE = Path(__file__).parent / "page_parts"


async def page(request: Request) -> Response:
    """Return the page; nothing in it comes from elsewhere, and only its own script runs."""
    served: Served = request.app.state.served
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(render(served, nonce), headers=headers)


def render(served: Served, nonce: str) -> str:
    """Return the page's HTML."""
    publication = served.publication
    template = Template((_HERE / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        nonce=nonce,
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        script=(_HERE / "page.js").read_text(encoding="utf-8"),
        title=escape(publication.title or publication.name),
        name=escape(publication.name),
        description=_paragraphs(publication.description),
        state=escape(served.state),
        facts=_facts(served),
        metrics=_metrics(publication),
        predict=_predict(served),
        parameters=_form(publication.parameters),
        model=_model(served),
    )


def _paragraphs(text: str) -> str:
    parts = [part.strip() for part in text.split("\n\n")]
    return "".join(f"<p>{escape(part)}</p>" for part in parts if part)


def _facts(served: Served) -> str:
    publication = served.publication
    predictor = publication.predictor
    verified = {
        "full": "yes: the notebook was run from its locked packages before it was published",
        "loaded": "partly: the weights were loaded and asked in the locked packages",
        "elsewhere": f"not on this platform: the notebook was run on {publication.run_on}, with "
        "packages of the same versions",
        "none": "no",
    }
    weights = publication.captures
    answer = {"function": "the notebook’s function", "estimator": "the fitted model"}
    facts = [
        ("Answers with", f"{answer[predictor.kind]} {predictor.name}" if predictor.name else ""),
        ("Verified", verified[publication.verified]),
        ("Python", publication.python),
        ("Packages", ", ".join(f"{k} {v}" for k, v in sorted(publication.direct.items()))),
        ("Authors", ", ".join(publication.authors)),
        ("Weights", ", ".join(f"{each.name} (SHA-256 {each.sha256[:12]}…)" for each in weights)),
        ("Predicts", _way(served)),
        ("Image", served.settings.digest),
        ("Made by", publication.generator),
    ]
    return _pairs((name, value) for name, value in facts if value)


def _model(served: Served) -> str:
    if not served.predicts:
        return ""
    name = escape(quote(served.publication.name.rpartition("/")[2]))
    return f'<a href="v2/models/{name}">Model (Open Inference Protocol)</a>'


def _way(served: Served) -> str:
    """Say how requests reach the model."""
    if not served.predicts or served.state != "ready":
        return ""
    proven = served.proven
    if proven.batched:
        way = "requests that wait share a call: they are answered to the bit as alone"
    else:
        way = f"each request alone. {proven.why_not}"
    told = [part for part in (proven.onnx, proven.rounded) if part]
    return " ".join([f"{way.removesuffix('.')}.", *told]) if told else way.removesuffix(".")


def _metrics(publication: Publication) -> str:
    if not publication.metrics:
        return ""
    rows = _pairs((name, f"{value:.6g}") for name, value in sorted(publication.metrics.items()))
    return f'<section><h2>Metrics</h2><dl class="metrics">{rows}</dl></section>'


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs
    )


def _predict(served: Served) -> str:
    if not served.predicts:
        return ""
    sample = sample_request(served.publication.signature, served.golden)
    text = json.dumps(sample or {"dataframe_records": [{}]}, indent=2, ensure_ascii=False)
    height = min(18, text.count("\n") + 2)
    return (
        '<section><h2 id="predict-title">Predict</h2>'
        '<form id="predict" aria-labelledby="predict-title">'
        '<label for="body">Request to <code>POST /invocations</code></label>'
        f'<textarea id="body" rows="{height}" spellcheck="false">{escape(text)}</textarea>'
        '<button type="submit">Predict</button>'
        '<pre id="predictions" role="status" aria-live="polite" tabindex="0" hidden></pre>'
        "</form></section>"
    )


def _form(parameters: list[Parameter]) -> str:
    fields = "".join(_field(parameter) for parameter in parameters)
    return fields or "<p>This notebook has no parameters.</p>"


def _field(parameter: Parameter) -> str:
    name = escape(parameter.name)
    identifier = f"parameter-{name}"
    help_text = escape("; ".join(filter(None, [parameter.description, _limits(parameter)])))
    hint = f'<small id="{identifier}-hint">{help_text}</small>' if help_text else ""
    described = f' aria-describedby="{identifier}-hint"' if help_text else ""
    common = (
        f'id="{identifier}" data-name="{name}" data-type="{escape(parameter.type)}" '
        f'data-nullable="{str(parameter.nullable).lower()}"{described}'
    )
    if parameter.required:
        common += " required"
    return (
        f'<div class="field"><label for="{identifier}">{name} '
        f"<span>{escape(type_text(parameter))}</span></label>"
        f"{_control(parameter, common)}{hint}</div>"
    )


def _limits(parameter: Parameter) -> str:
    """Return the limits in words; choices are seen in their list."""
    return limits_text(msgspec.structs.replace(parameter, choices=[]))


def _control(parameter: Parameter, common: str) -> str:
    default = parameter.default
    if parameter.choices:
        return f'<select {common} data-json="true">{_options(parameter)}</select>'
    if parameter.type == "bool" and not parameter.nullable:
        return f'<input type="checkbox" {common}{" checked" if default else ""}>'
    if parameter.type in ("int", "float"):
        step = "1" if parameter.type == "int" else "any"
        low = _first(parameter.minimum, parameter.exclusive_minimum)
        high = _first(parameter.maximum, parameter.exclusive_maximum)
        limits = f"{_limit('min', low)}{_limit('max', high)}"
        value = "" if default is None else escape(json.dumps(default))
        return f'<input type="number" step="{step}"{limits} value="{value}" {common}>'
    if parameter.type in ("str", "path", "date", "datetime"):
        value = "" if default is None else escape(str(default))
        # A moment may have a zone, which the browser's own field for moments does not know.
        kind = "date" if parameter.type == "date" else "text"
        example = ' placeholder="2024-01-31T08:30"' if parameter.type == "datetime" else ""
        return f'<input type="{kind}" value="{value}"{example} {common}>'
    text = "" if parameter.required else escape(json.dumps(default, ensure_ascii=False))
    return f'<textarea rows="2" spellcheck="false" {common}>{text}</textarea>'


def _options(parameter: Parameter) -> str:
    """Return the choices; one that must be chosen is not chosen beforehand."""
    nothing = parameter.nullable and None not in parameter.choices
    choices = [None, *parameter.choices] if nothing else parameter.choices
    options = "".join(
        f'<option value="{escape(json.dumps(choice))}"'
        f"{' selected' if _is_default(choice, parameter) else ''}>{escape(str(choice))}</option>"
        for choice in choices
    )
    return f'<option value="">Choose…</option>{options}' if parameter.required else options


def _is_default(choice: Any, parameter: Parameter) -> bool:
    return not parameter.required and bool(choice == parameter.default)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _limit(name: str, value: Any) -> str:
    return "" if value is None else f' {name}="{value:g}"'


routes = [Route("/", page)]
