"""The service's page and its OpenAPI document know every type."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import jsonschema

from jupyter_mlops.runtime import openapi, page
from jupyter_mlops.runtime.parameters import Parameter
from jupyter_mlops.runtime.publication import Publication, compact, decode, encode

P = Parameter
EVERY = [
    P(name="day", type="date", default="2024-01-01", description="first <day>"),
    P(name="at", type="datetime", default="2024-01-01T00:00:00", nullable=True),
    P(name="file", type="path", default="a&b.csv"),
    P(name="sizes", type="list", items="int", default=[1], min_length=1),
    P(name="weights", type="dict", keys="int", items="float", default={"0": 1.0}),
    P(name="rate", type="float", default=0.5, exclusive_minimum=0, maximum=1),
    P(name="mode", type="str", nullable=True, choices=["a", "b"]),
    P(name="must", type="str", required=True, choices=["a", "b"]),
]


class Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, dict[str, str | None]] = {}
        self.options: dict[str, list[str]] = {}
        self.chosen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("data-name"):
            self.name = str(given["data-name"])
            self.fields[self.name] = {"tag": tag, **given}
        if tag == "option":
            self.options.setdefault(self.name, []).append(str(given["value"]))
            if "selected" in given:
                self.chosen.append(self.name)


def test_page() -> None:
    html = page._form(EVERY)
    found = Fields()
    found.feed(html)
    kinds = {name: field.get("type") or field["tag"] for name, field in found.fields.items()}
    assert kinds == {
        "day": "date",
        "at": "text",
        "file": "text",
        "sizes": "textarea",
        "weights": "textarea",
        "rate": "number",
        "mode": "select",
        "must": "select",
    }
    assert found.options == {"mode": ["null", '"a"', '"b"'], "must": ["", '"a"', '"b"']}
    assert found.chosen == ["mode"]
    assert (found.fields["rate"]["min"], found.fields["rate"]["max"]) == ("0", "1")
    assert "first &lt;day&gt;" in html and "&gt; 0, &lt;= 1" in html and "list[int]" in html


def test_openapi_and_the_manifest() -> None:
    publication = Publication(
        name="x",
        notebook_sha256="0",
        lock_sha256="0",
        python="3.11",
        platform="a/b",
        parameters=EVERY,
    )
    assert decode(encode(publication)).parameters == EVERY
    assert decode(compact(publication)) == publication
    assert len(compact(publication)) < len(encode(publication))
    document: dict[str, Any] = openapi.describe(publication, None, token=False)
    schema = json.loads(json.dumps(document))["components"]["schemas"]["Parameters"]
    validator = jsonschema.Draft202012Validator(schema)
    good = {"must": "a", "day": "2024-01-31", "at": "2024-01-31T08:30", "weights": {"3": 0.5}}
    assert validator.is_valid(good)
    for bad in ({"day": "soon"}, {"weights": {"a": 1}}, {"sizes": []}, {"rate": 0}, {"mode": "c"}):
        assert not validator.is_valid({**good, **bad})
