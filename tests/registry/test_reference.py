"""References round-trip, and what is wrong with one is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import UsageError
from jupyter_mlops.registry.reference import Reference

DIGEST = "sha256:" + "ab" * 32

hosts = st.sampled_from(["localhost", "localhost:5000", "r.example.org", "127.0.0.1:80", "[::1]:5"])
components = st.from_regex(r"[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
repositories = st.lists(components, min_size=1, max_size=4).map("/".join)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,30}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32).map(lambda value: f"sha256:{value.hex()}")
directories = st.from_regex(r"[A-Za-z0-9_./~ @-]{1,30}", fullmatch=True)


@given(hosts, repositories, st.none() | tags, st.none() | digests)
def test_registry_references_round_trip(
    host: str, repository: str, tag: str | None, digest: str | None
) -> None:
    reference = Reference(registry=host, repository=repository, tag=tag, digest=digest)
    assert Reference.parse(str(reference)) == reference


@given(directories, st.just("") | repositories, st.none() | tags, st.none() | digests)
def test_layout_references_round_trip(
    directory: str, repository: str, tag: str | None, digest: str | None
) -> None:
    reference = Reference(directory=directory, repository=repository, tag=tag, digest=digest)
    assert Reference.parse(str(reference)) == reference


@given(st.text(max_size=60) | st.text(alphabet="abA:/@.oci-_ 019[]", max_size=40))
def test_any_text_is_a_reference_or_a_usage_error(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except UsageError as error:
        assert error.problems[0].why and error.problems[0].remedy
    else:
        assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("r.org/a/b", Reference("r.org", "a/b")),
        ("r.org:5000/a:v1", Reference("r.org:5000", "a", "v1")),
        (f"r.org/a:v1@{DIGEST}", Reference("r.org", "a", "v1", DIGEST)),
        ("docker.io/python:3.11", Reference("docker.io", "library/python", "3.11")),
        ("oci:/data/l", Reference(directory="/data/l")),
        ("oci:/data/l:v1", Reference(directory="/data/l", tag="v1")),
        ("oci:l:iris:v1", Reference(directory="l", repository="iris", tag="v1")),
        ("oci:l:team/iris:v1", Reference(directory="l", repository="team/iris", tag="v1")),
        (f"oci:l:iris@{DIGEST}", Reference(directory="l", repository="iris", digest=DIGEST)),
    ],
)
def test_what_a_reference_means(text: str, expected: Reference) -> None:
    assert Reference.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("iris", "none is guessed"),
        ("team/iris:v1", "none is guessed"),
        ("r.org/", "repository is missing"),
        ("r.org", "repository is missing"),
        ("r.org/Team/iris", "lower case"),
        ("r.org/a//b", "empty"),
        ("r.org/a_-b", "not a part of a repository's name"),
        ("r.org/a:", "is not a tag"),
        ("r.org/a:-x", "is not a tag"),
        ("r.org/a@sha256:12", "64 hexadecimal digits"),
        ("https://r.org/a", "Leave out https://"),
        ("", "empty"),
        ("r.org/a b", "spaces"),
        ("oci:", "directory is missing"),
        ("oci:d:", "tag is missing"),
        ("oci:d:a:b:c", "more than a name and a tag"),
        ("oci:d:Iris:v1", "lower case"),
    ],
)
def test_what_is_wrong_is_said(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        Reference.parse(text)
    assert sentence in str(caught.value)


def test_below_a_registry(tmp_path: Path) -> None:
    assert str(Reference.below("r.org", "iris", "v1")) == "r.org/iris:v1"
    assert str(Reference.below("r.org/lab/", "iris")) == "r.org/lab/iris"
    assert str(Reference.below(f"oci:{tmp_path}", "iris", "v1")) == f"oci:{tmp_path}:iris:v1"
    assert Reference.below("oci:d", "iris").repository == "iris"
    with pytest.raises(UsageError, match="not an image reference"):
        Reference.below("oci:d:iris", "x")


def test_versions_and_names() -> None:
    reference = Reference.parse("r.org/iris:v1")
    assert (reference.name, reference.version) == ("r.org/iris", "v1")
    assert Reference.parse("r.org/iris").version == "latest"
    assert reference.with_digest(DIGEST).version == DIGEST
    assert str(reference.with_digest(DIGEST).with_tag("v2")) == "r.org/iris:v2"
    assert Reference.parse("oci:~/x:iris:v1").path == Path.home() / "x"
    with pytest.raises(UsageError):
        reference.with_tag("..")
    with pytest.raises(UsageError):
        reference.with_digest("sha256:1")
