"""The REST interface: statuses, bodies, paths, and who may ask."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops.errors import NotFoundError, Problem, RegistryError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.contents import LABEL
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import ImageConfig, build_image
from jupyter_mlops.lab.handlers import ROUTES
from jupyter_mlops.runtime.parameters import Parameter
from jupyter_mlops.runtime.publication import Publication
from tests.lab.conftest import Ask
from tests.notebooks import make

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")


class Found(msgspec.Struct):
    path: str


def _verbs() -> list[Any]:
    return [
        pytest.param(handler, verb, id=f"{handler.__name__}.{verb}")
        for _, handler in ROUTES
        for verb in VERBS
        if verb in vars(handler)
    ]


@pytest.mark.parametrize(("handler", "verb"), _verbs())
def test_every_verb_is_authenticated_and_authorized_and_short(handler: Any, verb: str) -> None:
    source = inspect.getsource(getattr(handler, verb))
    lines = [line.strip() for line in source.splitlines()]
    assert lines[:2] == ["@authenticated", "@authorized"]
    assert len(lines) < 15
    assert handler.auth_resource == "mlops"
    wrapped = inspect.unwrap(getattr(handler, verb))
    assert wrapped is not getattr(handler, verb)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "analysis?path=a.ipynb"),
        ("POST", "draft"),
        ("GET", "environment?path=a.ipynb"),
        ("POST", "environment"),
        ("GET", "jobs"),
        ("POST", "jobs"),
        ("GET", "jobs/20260101-000000-00000000"),
        ("DELETE", "jobs/20260101-000000-00000000"),
        ("GET", "jobs/20260101-000000-00000000/events"),
        ("GET", "jobs/20260101-000000-00000000/log"),
        ("GET", "publications"),
        ("POST", "tags"),
        ("POST", "retention"),
        ("GET", "services"),
        ("DELETE", "services/x"),
    ],
)
async def test_nobody_gets_in_without_a_token(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str, method: str, path: str
) -> None:
    answer = await http_server_client.fetch(
        f"{jp_base_url}jupyter-mlops/{path}",
        method=method,
        body="{}" if method == "POST" else None,
        raise_error=False,
    )
    assert answer.code == 403


async def test_who_may_read_may_not_start_work(
    jp_serverapp: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def is_authorized(handler: Any, user: Any, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return action == "read"

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    assert (await ask("jobs"))[0] == 200
    status, answer = await ask("jobs", method="POST", body={"kind": "succeed"})
    assert status == 403
    assert "not authorized" in answer["problems"][0]["problem"]
    assert asked == [("read", "mlops"), ("write", "mlops")]
    assert jp_serverapp.web_app.settings["mlops_jobs"].list() == []


async def test_an_analysis_is_of_the_file_under_the_root(
    jp_serverapp: Any, ask: Ask, jp_root_dir: Path, spine: Any
) -> None:
    (jp_root_dir / "work").mkdir()
    (jp_root_dir / "work" / "a b.ipynb").touch()
    (jp_root_dir / "odd:name.ipynb").touch()
    spine("analyze", analyze=lambda path: Found(path=str(path)))
    for path in (
        "work/a b.ipynb",
        "/work/a b.ipynb",
        "RTC:work/a b.ipynb",
        "work/../work/a b.ipynb",
    ):
        status, answer = await ask("analysis", path=path)
        assert (status, answer) == (200, {"path": str(jp_root_dir / "work" / "a b.ipynb")})
    assert (await ask("analysis", path="odd:name.ipynb"))[0] == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("../secret.ipynb", 400),
        ("RTC:../secret.ipynb", 400),
        ("a/../../secret.ipynb", 400),
        ("", 400),
        ("nothing.ipynb", 404),
        (".hidden.ipynb", 404),
    ],
)
async def test_a_path_that_is_not_a_file_of_the_server(
    jp_serverapp: Any, ask: Ask, jp_root_dir: Path, spine: Any, path: str, status: int
) -> None:
    (jp_root_dir.parent / "secret.ipynb").touch()
    (jp_root_dir / ".hidden.ipynb").touch()
    spine("analyze", analyze=lambda path: Found(path=str(path)))
    got, answer = await ask("analysis", path=path)
    assert got == status
    assert answer["problems"][0]["problem"] and answer["message"]
    body = {"kind": "publish", "request": {"path": path}}
    assert (await ask("jobs", method="POST", body=body))[0] == status


async def test_a_missing_query_argument_is_a_400(jp_serverapp: Any, ask: Ask) -> None:
    status, answer = await ask("analysis")
    assert status == 400
    assert "path" in answer["problems"][0]["problem"]


async def test_a_server_without_local_files_says_so(
    jp_serverapp: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_server.services.contents.manager import ContentsManager

    monkeypatch.setitem(
        jp_serverapp.web_app.settings, "contents_manager", ContentsManager(parent=jp_serverapp)
    )
    status, answer = await ask("analysis", path="a.ipynb")
    assert status == 400
    assert "local files" in answer["problems"][0]["problem"]
    assert (await ask("jobs"))[0] == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "not JSON"),
        ("", "not valid"),
        ("[]", "not valid"),
        ({"kind": 3}, "not valid"),
        ({"kind": "bake"}, "no kind of job"),
        ({"kind": "succeed", "colour": 1}, "not valid"),
        ({"kind": "serve", "request": {"reference": "x", "port": "a"}}, "not valid"),
        ({"kind": "publish", "request": {"path": 3}}, "not valid"),
    ],
)
async def test_a_bad_body_gets_a_sentence(
    jp_serverapp: Any, ask: Ask, body: Any, says: str
) -> None:
    status, answer = await ask("jobs", method="POST", body=body)
    assert status == 400
    assert says in answer["problems"][0]["problem"]


async def test_errors_of_the_spine_keep_their_status_and_all_their_problems(
    jp_serverapp: Any, ask: Ask, spine: Any
) -> None:
    def refuse(registry: str | None = None, query: object = None) -> list[Found]:
        raise RegistryError.collect([Problem(problem="It is closed"), Problem(problem="And full")])

    def gone(service_id: str) -> None:
        raise NotFoundError(f"There is no service {service_id}")

    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    spine("catalog", list_publications=refuse)
    spine("serve", stop_service=gone, list_services=broken)
    status, answer = await ask("publications")
    assert status == 502
    assert [problem["problem"] for problem in answer["problems"]] == ["It is closed", "And full"]
    status, answer = await ask("services", "abc", method="DELETE")
    assert (status, answer["problems"][0]["problem"]) == (404, "There is no service abc")
    status, answer = await ask("services")
    assert status == 500
    assert "secret" not in str(answer) and "Traceback" not in str(answer)


async def test_the_catalog_and_the_services(jp_serverapp: Any, ask: Ask, spine: Any) -> None:
    stopped: list[str] = []
    spine("catalog", list_publications=lambda registry, query: [Found(path=registry)])
    spine("serve", list_services=lambda: [Found(path="s")], stop_service=stopped.append)
    status, answer = await ask("publications", registry="localhost:5000/lab")
    assert status == 200
    assert answer == {
        "registry": "localhost:5000/lab",
        "publications": [{"path": "localhost:5000/lab"}],
    }
    assert (await ask("publications"))[1]["registry"].startswith("oci:")
    assert await ask("services") == (200, {"services": [{"path": "s"}]})
    assert await ask("services", "iris-1", method="DELETE") == (204, None)
    assert stopped == ["iris-1"]


PUBLISHED = [
    Publication(
        name=name, title=name.title(), notebook_sha256="", lock_sha256="", python="", platform="",
        authors=[owner], metrics={"accuracy": accuracy},
        parameters=[Parameter(name="rate", type="float", default=rate)],
    )
    for name, owner, accuracy, rate in (("iris", "Ada", 0.97, 0.5), ("wine", "Grace", 0.9, 0.1))
]  # fmt: skip


@pytest.fixture
def registry(tmp_path: Path) -> str:
    """A directory with two publications, two versions each."""
    for item in PUBLISHED:
        for number in (1, 2):
            versioned = msgspec.structs.replace(item, description=str(number))
            labels = {LABEL: msgspec.json.encode(versioned).decode()}
            image = build_image(Base("b", "", (), {}), [], ImageConfig(labels=labels))
            Layout(tmp_path / "registry", item.name).push(image, [f"v{number}", "latest"])
    return f"oci:{tmp_path}/registry"


async def test_a_search_of_the_catalog(jp_serverapp: Any, ask: Ask, registry: str) -> None:
    for query, names in (
        ({}, ["iris", "iris", "wine", "wine"]),
        ({"search": "IRIS 2"}, ["iris"]),
        ({"owner": "grace"}, ["wine", "wine"]),
        ({"parameter": ["rate", "rate=0.50"]}, ["iris", "iris"]),
        ({"metric": ["accuracy>=0.9", "accuracy<0.95"]}, ["wine", "wine"]),
        ({"metric": "accuracy>0.98"}, []),
    ):
        status, answer = await ask("publications", registry=registry, **query)
        assert (status, [item["name"] for item in answer["publications"]]) == (200, names)
    status, answer = await ask("publications", registry=registry, metric=["a b", ">1"])
    assert (status, len(answer["problems"])) == (400, 2)
    assert "is not a metric to look for" in answer["message"]


async def test_a_tag_moves(jp_serverapp: Any, ask: Ask, registry: str) -> None:
    body = {"reference": f"{registry}:iris:v1", "tag": "champion"}
    status, answer = await ask("tags", method="POST", body=body)
    assert (status, answer["reference"], answer["version"], answer["previous"]) == (
        200, f"{registry}:iris:champion", 1, "",
    )  # fmt: skip
    for bad, code in (
        ({**body, "tag": "v1"}, 400),
        ({**body, "reference": f"{registry}:iris:v7"}, 404),
        ({"reference": f"{registry}:iris:v1"}, 400),
        ({**body, "force": True}, 400),
    ):
        status, answer = await ask("tags", method="POST", body=bad)
        assert status == code and answer["problems"][0]["problem"]
    assert Layout(registry.removeprefix("oci:"), "iris").tags() == [
        "champion",
        "latest",
        "v1",
        "v2",
    ]


async def test_nothing_is_removed_unless_it_is_said(
    jp_serverapp: Any, ask: Ask, registry: str
) -> None:
    layout = Layout(registry.removeprefix("oci:"), "iris")
    body = {"repository": f"{registry}:iris", "keep": 1}
    for dry_run in (None, True, False):
        assert layout.tags() == ["latest", "v1", "v2"]
        asked = body if dry_run is None else {**body, "dry_run": dry_run}
        status, answer = await ask("retention", method="POST", body=asked)
        assert (status, answer["dry_run"]) == (200, dry_run is not False)
        assert [item["stays"] for item in answer["publications"]] == [True, False]
    assert layout.tags() == ["latest", "v2"]
    for bad in ({**body, "keep": 0}, {"repository": f"{registry}:iris"}, {**body, "keep": "1"}):
        assert (await ask("retention", method="POST", body=bad))[0] == 400
    bad = {**body, "repository": f"{registry}:none"}
    assert (await ask("retention", method="POST", body=bad))[0] == 404


async def test_an_unknown_job_is_a_404(jp_serverapp: Any, ask: Ask) -> None:
    job = "20260101-000000-00000000"
    for parts in ((job,), (job, "events"), (job, "log"), ("nonsense",)):
        status, answer = await ask("jobs", *parts)
        assert status == 404
        assert answer["problems"][0]["remedy"]
    assert (await ask("jobs", job, method="DELETE"))[0] == 404


async def test_the_names_that_could_be_captured(ask: Ask, jp_root_dir: Path) -> None:
    make(jp_root_dir / "n.ipynb", ["x = [1]", "%mlops_capture x"])
    status, found = await ask("captures", path="n.ipynb")
    assert status == 200 and found["live"] is False
    assert [(each["name"], each["declared"]) for each in found["names"]] == [("x", True)]
    status, _ = await ask("captures", path="gone.ipynb")
    assert status == 404
