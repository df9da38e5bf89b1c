"""Before a publish pushes, it says what is known of its packages; the image stays the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import audits, cli, settings
from jupyter_mlops.errors import AuditError, NotebookError, UsageError
from jupyter_mlops.events import Event, Log
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.layer import Entry, build_layer
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import ImageConfig, build_image
from jupyter_mlops.publish import publish
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.tracking import store as tracking
from tests.environment.audit.advisories import ADVISORY, Pypi, lock, served
from tests.notebooks import make


@pytest.fixture
def pypi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pypi]:
    """A PyPI on the loopback; what is remembered of locks is forgotten."""
    with served() as found:
        monkeypatch.setattr(settings, "audits", lambda: tmp_path / "audits")
        monkeypatch.setenv("JUPYTER_MLOPS_AUDIT_URL", found.url)
        monkeypatch.delenv("JUPYTER_MLOPS_AUDIT")
        yield found


def texts(events: list[Event], level: str) -> list[str]:
    return [each.text for each in events if isinstance(each, Log) and each.level == level]


def test_by_default_it_is_told_and_stops_nothing(pypi: Pypi) -> None:
    pypi.add("a 1.0", ADVISORY)
    events: list[Event] = []
    locked = [lock("a 1.0")]
    found = audits.settle(audits.begin(locked), locked, events.append)
    assert found.state == "found"
    (said,) = texts(events, "warning")
    assert said.startswith("packages found: 1 known vulnerability in 1 of 1 package (")


def test_what_is_clean_is_no_warning(pypi: Pypi) -> None:
    pypi.add("a 1.0")
    events: list[Event] = []
    locked = [lock("a 1.0")]
    assert audits.settle(audits.begin(locked, "refuse"), locked, events.append).state == "clean"
    assert texts(events, "warning") == [] and len(texts(events, "info")) == 1


def test_refuse_names_everything_that_is_not_clean(pypi: Pypi) -> None:
    pypi.add("a 1.0", ADVISORY, {**ADVISORY, "id": "GHSA-2", "aliases": [], "fixed_in": []})
    locked = [lock("a 1.0", "theirs 1.0", own=("ours 1.0",))]
    with pytest.raises(AuditError) as caught:
        audits.settle(audits.begin(locked, "refuse"), locked)
    said = [problem.sentence() for problem in caught.value.problems]
    assert said[0] == (
        "a 1.0 is known to be vulnerable: PYSEC-2024-1. It sends what it should keep. "
        "Take a newer one: --pin 'a>=2.20.0'."
    )
    assert "No version is known to be free of it" in said[1]
    assert "not checked: theirs 1.0, ours 1.0: 127.0.0.1" in said[2] and len(said) == 3


def test_none_asks_nobody_and_does_not_say_clean(
    pypi: Pypi, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = [lock("a 1.0")]
    for mode, setting in (("none", "tell"), (None, "none")):
        monkeypatch.setenv("JUPYTER_MLOPS_AUDIT", setting)
        events: list[Event] = []
        found = audits.settle(audits.begin(locked, mode), locked, events.append)  # type: ignore[arg-type]
        assert found.headline() == "not checked: 1 of 1 package"
        assert "is switched off" in found.details()[0]
    assert pypi.asked == []


def test_the_operators_word_counts_where_nobody_says_another(
    pypi: Pypi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_AUDIT", "refuse")
    locked = [lock("a 1.0")]
    with pytest.raises(AuditError):
        audits.settle(audits.begin(locked), locked)
    assert audits.settle(audits.begin(locked, "tell"), locked).state == "not checked"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JUPYTER_MLOPS_AUDIT", "off"),
        ("JUPYTER_MLOPS_AUDIT", "Refuse"),
        ("JUPYTER_MLOPS_AUDIT_URL", "pypi.org"),
        ("JUPYTER_MLOPS_AUDIT_URL", "ftp://pypi.org"),
        ("JUPYTER_MLOPS_AUDIT_URL", "http://"),
        ("JUPYTER_MLOPS_AUDIT_URL", "http://x:y:z"),
        ("JUPYTER_MLOPS_AUDIT_URL", "http://[::1"),
    ],
)  # fmt: skip
def test_a_setting_that_means_nothing_is_no_open_gate(
    pypi: Pypi, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name):
        audits.begin([lock("a 1.0")])


def test_a_lock_that_grew_in_the_run_is_audited_as_it_is_now(pypi: Pypi) -> None:
    pypi.add("a 1.0")
    pypi.add("late 1.0", ADVISORY)
    auditing = audits.begin([lock("a 1.0")])
    assert audits.settle(auditing, [lock("a 1.0", "late 1.0")]).found[0].package == "late"


def image_with(folder: Path, files: dict[str, bytes]) -> str:
    """Return the reference of an image whose code layer holds these files."""
    store = folder / "store"
    base = build_layer([Entry("usr/bin/x", b"")], kind="base", title="", store=store)
    wheel = Entry("opt/mlops/pylock.toml", b"of a wheel")
    entries = [Entry(f"opt/mlops/{name}", data) for name, data in files.items()]
    kinds = {"wheel": [wheel], "lock": entries[1:], "code": entries[:1]}
    layers = [
        build_layer(each, kind=kind, title=kind, store=store)
        for kind, each in kinds.items()
        if each
    ]
    image = build_image(Base("b", "", (base,), {}), layers, ImageConfig())
    Layout(folder / "registry", "iris").push(image, ["v1"])
    return f"oci:{folder}/registry:iris:v1"


def published(folder: Path, text: str) -> str:
    manifest = publications.encode(
        Publication(
            name="iris",
            notebook_sha256="",
            lock_sha256="",
            python="3.11",
            platform="linux/amd64",
        )
    )
    files = {publications.FILE_NAME: manifest, "pylock.toml": text.encode()}
    return image_with(folder, files)


def test_a_publication_is_audited_by_its_lock(
    pypi: Pypi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pypi.add("a 1.0")
    pypi.add("b 1.0", ADVISORY)
    clean = published(tmp_path / "1", lock("a 1.0").text)
    assert cli.main(["audit", clean]) == 0
    assert capsys.readouterr().out.startswith("clean: nothing is known of 1 package (")
    found = published(tmp_path / "2", lock("a 1.0", "b 1.0").text)
    assert cli.main(["audit", found, "--json"]) == AuditError.exit_code
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (said["state"], said["found"][0]["package"]) == ("found", "b")
    assert cli.main(["audit", published(tmp_path / "3", lock("c 1.0").text)]) != 0
    assert "c 1.0: 127.0.0.1" in capsys.readouterr().out


def test_the_switch_holds_for_the_command_too(
    pypi: Pypi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_AUDIT", "none")
    assert audits.audit(published(tmp_path, lock("a 1.0").text)).state == "not checked"
    assert pypi.asked == []


@pytest.mark.parametrize("files", [{}, {"pylock.toml": b"x"}, {"publication.json": b"{"}])
def test_an_image_without_a_lock(pypi: Pypi, tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(NotebookError, match="not a publication with a lock"):
        audits.audit(image_with(tmp_path, files or {"other": b""}))


@pytest.mark.parametrize("text", ["[[packages", "\xff"])
def test_a_lock_that_cannot_be_read(pypi: Pypi, tmp_path: Path, text: str) -> None:
    with pytest.raises(NotebookError, match="not a publication with a lock"):
        audits.audit(published(tmp_path, text))


@pytest.mark.network
@pytest.mark.slow
def test_a_publish_says_it_and_the_image_does_not_depend_on_the_day(
    pypi: Pypi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path / "a.ipynb", ["import six\nprint(six.__version__)"])
    target = f"oci:{tmp_path}/registry:a:latest"
    off = publish(path, target, audit="none")
    assert off.audit.state == "not checked" and pypi.asked == []

    pypi.know(audits.published(off.reference))
    events: list[Event] = []
    clean = publish(path, target, on_event=events.append)
    assert clean.audit.state == "clean", clean.audit.details()
    assert any("clean" in t for t in texts(events, "info"))
    asked = len(pypi.asked)
    assert asked == clean.audit.packages
    assert publish(path, target, audit="refuse").audit == clean.audit
    assert audits.audit(str(path)) == clean.audit  # locked as the publish locks it
    assert len(pypi.asked) == asked  # both remembered

    for known in settings.audits().iterdir():
        known.unlink()
    pypi.answers[f"six/{_version(off.reference, 'six')}"]["vulnerabilities"] = [ADVISORY]
    before = (tmp_path / "registry" / "index.json").read_bytes()
    other = f"oci:{tmp_path}/registry:a:other"
    assert cli.main(["publish", str(path), other, "--audit", "refuse"]) == AuditError.exit_code
    assert "six" in capsys.readouterr().err
    assert (tmp_path / "registry" / "index.json").read_bytes() == before
    assert cli.main(["publish", str(path), target, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["audit"]["state"], found["audit"]["found"][0]["package"]) == ("found", "six")
    assert off.digest == clean.digest == found["digest"]
    tag = tracking.client().get_run(found["run"]).data.tags["mlops.audit"]
    assert tag.startswith("found: 1 known vulnerability in 1 of ")


def _version(reference: str, name: str) -> str:
    packages = audits.published(reference).packages
    return next(package.version for package in packages if package.name == name)
