"""What a search finds, in a directory and in a registry, and that it reads labels only."""

from __future__ import annotations

import json

import pytest

from jupyter_mlops import cli
from jupyter_mlops.catalog import list_publications
from jupyter_mlops.errors import UsageError
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.registry.search import Query, read
from jupyter_mlops.runtime.parameters import Parameter
from tests.registry.faulty import FaultyRegistry
from tests.registry.places import labelled

RATE = Parameter(name="rate", type="float", default=0.5, minimum=0, maximum=1)
IRIS = labelled(
    "iris",
    title="Flowers of Größe",
    description="Which iris is it?",
    authors=["Ada Lovelace", "Grace Hopper"],
    metrics={"accuracy": 0.97, "val/f1": 0.9},
    parameters=[RATE, Parameter(name="solver", type="str", default="lbfgs")],
)
WINE = labelled(
    "wine",
    title="Red and white",
    description="The iris of a glass",
    authors=["Grace Murray"],
    metrics={"accuracy": 0.90},
    parameters=[RATE, Parameter(name="fast", type="bool", default=True)],
)
TIDES = labelled(
    "tides",
    metrics={"rmse": 1e-3},
    parameters=[
        Parameter(name="fast", type="int", default=1),
        Parameter(name="station", type="str", required=True),
        Parameter(name="days", type="int", nullable=True),
    ],
)
ALL = {"iris": IRIS, "wine": WINE, "tides": TIDES}

CASES = [
    (Query(), "iris tides wine"),
    (Query(search="IRIS"), "iris wine"),
    (Query(search="glass iris"), "wine"),
    (Query(search="  "), "iris tides wine"),
    (Query(search="GRÖSSE"), "iris"),
    (Query(search="gro\u0308sse"), "iris"),
    (Query(search="tides"), "tides"),
    (Query(search="nothing"), ""),
    (Query(search="lbfgs"), ""),
    (Query(search="v1"), ""),
    (Query(owner="grace"), "iris wine"),
    (Query(owner="Grace Hopper"), "iris"),
    (Query(owner="alan"), ""),
    (Query(parameters=["rate"]), "iris wine"),
    (Query(parameters=["Rate"]), ""),
    (Query(parameters=["rate=0.50"]), "iris wine"),
    (Query(parameters=["rate=0.6"]), ""),
    (Query(parameters=["rate=7"]), ""),
    (Query(parameters=["rate=x"]), ""),
    (Query(parameters=["solver=lbfgs"]), "iris"),
    (Query(parameters=["rate", "fast"]), "wine"),
    (Query(parameters=["fast=true"]), "wine"),
    (Query(parameters=["fast=1"]), "tides wine"),
    (Query(parameters=["fast=2"]), ""),
    (Query(parameters=["station="]), ""),
    (Query(parameters=["days=null"]), "tides"),
    (Query(metrics=["accuracy"]), "iris wine"),
    (Query(metrics=["accuracy>=0.9"]), "iris wine"),
    (Query(metrics=["accuracy>0.9"]), "iris"),
    (Query(metrics=["accuracy > 9e-1"]), "iris"),
    (Query(metrics=["accuracy<0.97"]), "wine"),
    (Query(metrics=["accuracy<=0.97"]), "iris wine"),
    (Query(metrics=["accuracy=0.9"]), "wine"),
    (Query(metrics=["accuracy==0.90"]), "wine"),
    (Query(metrics=["accuracy!=0.9"]), "iris"),
    (Query(metrics=["val/f1>=0.9"]), "iris"),
    (Query(metrics=["rmse<0.01"]), "tides"),
    (Query(metrics=["accuracy>0.8", "accuracy<0.95"]), "wine"),
    (Query(metrics=["loss<1"]), ""),
    (Query(search="iris", owner="grace", parameters=["fast"], metrics=["accuracy"]), "wine"),
]


def put(registry: str, images: dict[str, Image]) -> None:
    for name, image in images.items():
        open_repository(Reference.below(registry, name)).push(image, ["v1", "latest"])


@pytest.fixture
def registry(place: str) -> str:
    """A directory, or the prefix of a real registry, that holds three publications."""
    found = place.removesuffix(":iris:")
    put(found, ALL)
    return found


def test_all_that_is_asked_must_be_so(registry: str) -> None:
    for query, names in CASES:
        found = [item.name for item in list_publications(registry, query)]
        assert found == names.split(), query


MALFORMED = [
    (Query(metrics=[">=0.9"]), "'>=0.9' is not a metric to look for. Write NAME"),
    (Query(metrics=[""]), "'' is not a metric to look for"),
    (Query(metrics=["accuracy 0.9"]), "'accuracy 0.9' is not a metric"),
    (Query(metrics=["accuracy>="]), "'accuracy>=' is not a metric"),
    (Query(metrics=["accuracy=>0.9"]), "'>0.9' is not a number. Write accuracy=0.9, for example"),
    (Query(metrics=["accuracy>=high"]), "'high' is not a number"),
    (Query(metrics=["accuracy>=nan"]), "'nan' is not a number"),
    (Query(metrics=["accuracy>=0,9"]), "'0,9' is not a number"),
    (Query(metrics=["a>1 b<2"]), "'a>1 b<2' is not a metric"),
    (Query(parameters=[""]), "'' is not a parameter to look for. Write NAME, or NAME=VALUE"),
    (Query(parameters=["=3"]), "'=3' is not a parameter"),
    (Query(parameters=["learning rate"]), "'learning rate' is not a parameter"),
    (Query(parameters=["1st=3"]), "'1st=3' is not a parameter"),
]


@pytest.mark.parametrize(("query", "sentence"), MALFORMED)
def test_what_cannot_be_looked_for_is_a_sentence(query: Query, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(query)
    assert sentence in str(caught.value) and len(caught.value.problems) == 1


def test_all_that_is_wrong_is_said_before_anything_is_asked(faulty: FaultyRegistry) -> None:
    query = Query(parameters=["a b", "=1"], metrics=["x>y"])
    with pytest.raises(UsageError) as caught:
        list_publications(faulty.url, query)
    assert len(caught.value.problems) == 3
    assert faulty.requests == []


def test_labels_are_enough(faulty: FaultyRegistry, make_layered: Image) -> None:
    open_repository(f"{faulty.url}/lab/iris").push(make_layered, ["v1", "latest"])
    faulty.requests.clear()
    query = Query(search="iris", owner="ada", parameters=["rate"], metrics=["accuracy>0.9"])
    [found] = list_publications(f"{faulty.url}/lab/iris", query)
    assert (found.tags, found.authors) == (["latest", "v1"], ["Ada"])
    assert faulty.count("GET", "/blobs/") == 1, "the config, and no layer"


@pytest.fixture
def make_layered(make_image: object) -> Image:
    """An image with a layer and the label of a publication."""
    from jupyter_mlops.image.base import Base
    from jupyter_mlops.image.manifest import ImageConfig, build_image

    told = labelled("iris", authors=["Ada"], metrics={"accuracy": 0.95}, parameters=[RATE])
    layers = make_image(weights=b"w" * 100_000).layers  # type: ignore[operator]
    return build_image(Base("b", "", (), {}), layers, ImageConfig(labels=told.labels))


def test_on_the_command_line(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    registry = f"oci:{tmp_path}/registry"
    put(registry, ALL)
    arguments = ["list", registry, "--metric", "accuracy>=0.9", "--parameter", "fast"]
    assert cli.main([*arguments, "--search", "red", "--owner", "murray"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{registry}:wine:v1  latest, v1  verified: none")
    assert line.endswith("Red and white")
    assert cli.main(["list", registry, "--metric", "accuracy>=0.98"]) == 0
    assert "No publication here is like that" in capsys.readouterr().out
    assert cli.main(["list", registry, "--owner", "ada", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["publications"]
    assert (found["name"], found["authors"]) == ("iris", ["Ada Lovelace", "Grace Hopper"])
    assert cli.main(["list", registry, "--metric", "accuracy=>1", "--parameter", "a b"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and all(line.startswith("error: ") for line in said)
