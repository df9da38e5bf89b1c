"""An audit by pip-audit's own code against a PyPI on the loopback: never clean unless all is."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops import settings
from jupyter_mlops.environment.audit import service
from jupyter_mlops.environment.audit.asking import Asking
from jupyter_mlops.environment.audit.models import Audit
from tests.environment.audit.advisories import ADVISORY, Pypi, lock, release, sha256


def audit(*packages: str, own: tuple[str, ...] = (), seconds: float = 30.0) -> Audit:
    return Asking([lock(*packages, own=own)], seconds=seconds).result()


def whys(found: Audit) -> dict[str, list[str]]:
    return {each.why: each.packages for each in found.unchecked}


def only_why(found: Audit) -> str:
    (each,) = found.unchecked
    assert found.state == "not checked" and not found.found
    return each.why


def remembered() -> list[Path]:
    return list(settings.audits().glob("*.json")) if settings.audits().is_dir() else []


def age_all(age: timedelta) -> None:
    """Let what is remembered be of an earlier moment."""
    moment = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    for path in remembered():
        known = msgspec.json.decode(path.read_bytes(), type=Audit)
        path.write_bytes(msgspec.json.encode(msgspec.structs.replace(known, date=moment)))


def test_clean_is_said_only_when_all_were_checked(pypi: Pypi) -> None:
    names = [f"p{number} 1.0" for number in range(20)]
    for name in names:
        pypi.add(name)
    found = audit(*names)
    assert (found.state, found.packages, found.unchecked) == ("clean", 20, [])
    assert sorted(pypi.asked) == sorted(f"/pypi/p{n}/1.0/json" for n in range(20))
    assert found.headline().startswith("clean: nothing is known of 20 packages (127.0.0.1:")
    assert datetime.now(UTC) - datetime.fromisoformat(found.date) < timedelta(minutes=5)


def test_what_is_found_is_listed_with_all_that_is_known(pypi: Pypi) -> None:
    pypi.add("bad 1.0", ADVISORY, {**ADVISORY, "id": "PYSEC-2024-1", "aliases": ["CVE-2024-0001"]})
    pypi.add("good 1.0")
    found = audit("bad 1.0", "good 1.0")
    (advisory,) = found.found  # the same by two names is one
    assert found.state == "found" and found.unchecked == []
    assert (advisory.package, advisory.version, advisory.id) == ("bad", "1.0", "PYSEC-2024-1")
    assert advisory.aliases == ["CVE-2024-0001", "GHSA-aaaa-bbbb-cccc"]
    assert advisory.fixed == ["2.3", "2.20.0"]
    assert found.headline().startswith("found: 1 known vulnerability in 1 of 2 packages (127")
    assert found.details() == [
        "bad 1.0: PYSEC-2024-1 (CVE-2024-0001, GHSA-aaaa-bbbb-cccc), fixed in 2.3, 2.20.0. "
        "It sends what it should keep."
    ]


def test_a_lock_without_wheels_or_versions_is_not_checked(pypi: Pypi) -> None:
    pypi.add("a 1.0")
    bare = lock("a 1.0", "b 1.0")
    packages = [
        msgspec.structs.replace(bare.packages[0], wheels={}),
        msgspec.structs.replace(bare.packages[1], version=""),
    ]
    found = Asking([msgspec.structs.replace(bare, packages=packages)]).result()
    assert [each.packages for each in found.unchecked] == [["a 1.0"], ["b"]]


def test_two_versions_of_a_package_are_two(pypi: Pypi) -> None:
    pypi.add("a 1.0", ADVISORY)
    pypi.add("a 2.0")
    found = audit("a 1.0", "a 2.0")
    assert (found.packages, [each.version for each in found.found]) == (2, ["1.0"])


def test_the_locks_of_several_platforms_are_one_publication(pypi: Pypi) -> None:
    pypi.add("a 1.0")
    pypi.add("b 1.0")
    one, two = lock("a 1.0"), lock("a 1.0", "b 1.0")
    found = Asking([one, two]).result()
    assert (found.state, found.packages, len(pypi.asked)) == ("clean", 2, 2)
    assert Asking([two, one]).result() == found and len(pypi.asked) == 2
    # The other platform's wheel of the same release must be PyPI's, too.
    name, _ = next(iter(one.packages[0].wheels.items()))
    other = msgspec.structs.replace(one.packages[0], wheels={name: "0" * 64})
    three = msgspec.structs.replace(one, sha256="3", packages=[other])
    assert Asking([one, three]).result().unchecked[0].packages == ["a 1.0"]


def test_what_was_withdrawn_is_not_found(pypi: Pypi) -> None:
    pypi.add("a 1.0", {**ADVISORY, "withdrawn": "2024-02-01T00:00:00Z"})
    assert audit("a 1.0").state == "clean"


def test_a_summary_is_one_bounded_line(pypi: Pypi) -> None:
    text = "\x1b[31m" + "words and\r\n" * 5000
    pypi.add("a 1.0", {**ADVISORY, "summary": None, "details": text, "fixed_in": []})
    (line,) = audit("a 1.0").details()
    assert line.isprintable() and len(line) < 300 and "not fixed yet" in line


def test_found_beside_what_is_unknown_says_both(pypi: Pypi) -> None:
    pypi.add("bad 1.0", ADVISORY)
    found = audit("bad 1.0", "theirs 1.0")
    assert found.state == "found"
    assert found.headline().startswith("found: 1 known vulnerability in 1 of 2 packages, 1 not ch")
    assert whys(found) == {f"{found.service} does not know it": ["theirs 1.0"]}


def test_a_package_that_pypi_does_not_know_is_named(pypi: Pypi) -> None:
    pypi.add("a 1.0")
    found = audit("a 1.0", "theirs 2.0")
    assert only_why(found) == f"{found.service} does not know it"
    assert found.headline().startswith("not checked: 1 of 2 packages (")
    assert found.details() == [f"not checked: theirs 2.0: {found.service} does not know it"]


def test_our_own_wheels_are_named_one_by_one(pypi: Pypi) -> None:
    pypi.add("a 1.0")
    found = audit("a 1.0", own=("ours 1.0", "theirs 2.0"))
    assert only_why(found) == f"{found.service} does not know it"
    assert found.unchecked[0].packages == ["ours 1.0", "theirs 2.0"]


def test_a_wheel_of_a_local_folder_is_checked_where_pypi_has_the_very_same(pypi: Pypi) -> None:
    pypi.add("a 1.0")
    assert audit(own=("a 1.0",)).state == "clean"


def test_another_file_by_the_same_name_is_not_the_one_that_pypi_knows(pypi: Pypi) -> None:
    pypi.answers["a/1.0"] = {**release("a", "1.0"), "urls": [{"digests": {"sha256": "0" * 64}}]}
    found = audit("a 1.0")
    assert only_why(found) == f"its wheel is none of those that {found.service} has of this version"
    pypi.answers["a/1.0"]["vulnerabilities"] = [ADVISORY]
    assert audit("a 1.0", "b 1.0").state == "found"


def test_variants_of_pytorch_are_asked_for_by_their_public_version(pypi: Pypi) -> None:
    pypi.add("torch 2.5.1", ADVISORY)
    pypi.add("vision 0.20")
    found = audit("torch 2.5.1+cpu", "vision 0.20+cu124", "ours 1.0+lab.3")
    assert [(each.package, each.version) for each in found.found] == [("torch", "2.5.1+cpu")]
    assert whys(found) == {f"{found.service} does not know it": ["ours 1.0+lab.3"]}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, b"oops"), "answered with status 500"),
        ((503, b""), "answered with status 503"),
        ((403, b"no"), "answered with status 403"),
        ((200, b"<html>Log in to the network</html>"), "did not answer as PyPI does"),
        ((200, b"{}"), "did not answer as PyPI does"),
        ((200, b"[1]"), "did not answer as PyPI does"),
        ((200, b"\xff\xfe\x00"), "did not answer as PyPI does"),
        ((200, b""), "did not answer as PyPI does"),
        ((204, b""), "did not answer as PyPI does"),
        (release("other", "1.0"), "did not answer as PyPI does"),
        (release("a", "2.0"), "did not answer as PyPI does"),
        ({**release("a", "1.0"), "vulnerabilities": None}, "did not answer as PyPI does"),
        ({**release("a", "1.0"), "urls": None}, "did not answer as PyPI does"),
        ({**release("a", "1.0"), "vulnerabilities": [{"id": "X"}]}, "cannot be read"),
        ({**release("a", "1.0"), "vulnerabilities": [5]}, "cannot be read"),
        (release("a", "1.0", {**ADVISORY, "fixed_in": ["soon"]}), "cannot be read"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_never_clean(pypi: Pypi, answer: Any, why: str) -> None:
    pypi.answers["a/1.0"] = answer
    pypi.add("b 1.0")
    found = audit("a 1.0", "b 1.0")
    assert why in only_why(found) and found.unchecked[0].packages == ["a 1.0"]
    assert remembered() == []  # the next one asks again


def test_a_mirror_without_advisories_is_no_pypi(pypi: Pypi) -> None:
    said = release("a", "1.0")
    del said["vulnerabilities"]
    pypi.answers["a/1.0"] = said
    assert "did not answer as PyPI does" in only_why(audit("a 1.0"))


def test_a_service_that_does_not_answer_costs_a_bounded_time(pypi: Pypi) -> None:
    pypi.add("a 1.0")
    pypi.hold.clear()
    found = audit("a 1.0", "b 1.0", seconds=0.5)
    assert only_why(found) == "there was no answer in time"
    assert found.unchecked[0].packages == ["a 1.0", "b 1.0"] and remembered() == []


def test_a_service_that_says_nothing_at_all_is_given_up_first(pypi: Pypi) -> None:
    pypi.hold.clear()
    found = Asking([lock("a 1.0")], seconds=3600, first=0.3).result()
    assert only_why(found) == "there was no answer in time"


def test_a_service_that_goes_silent(pypi: Pypi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PATIENCE", (1.0, 0.2))
    pypi.hold.clear()
    found = audit("a 1.0")
    assert only_why(found) == f"{found.service} did not answer in time"


def test_no_network_is_said_once_for_all(pypi: Pypi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_AUDIT_URL", "http://127.0.0.1:1")
    names = [f"p{number} 1.0" for number in range(30)]
    found = audit(*names)
    assert only_why(found) == "127.0.0.1:1 cannot be reached"
    assert found.unchecked[0].packages == names
    assert found.details()[0].endswith("p9 1.0 and 20 more: 127.0.0.1:1 cannot be reached")


def test_a_proxy_that_refuses(pypi: Pypi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_AUDIT_URL", "https://pypi.invalid")
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@{pypi.url.removeprefix('http://')}")
    found = audit("a 1.0")
    assert only_why(found) == "the proxy does not let us through to pypi.invalid"
    assert "hunter2" not in str(found)


def test_without_pip_audit(pypi: Pypi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip_audit._service", None)
    found = audit("a 1.0")
    assert "pip install 'jupyter_mlops[audit]'" in only_why(found)
    assert (found.service, found.date) == ("", "") and pypi.asked == []


def test_another_pip_audit_than_the_one_we_know(
    pypi: Pypi, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pip_audit._service as theirs

    monkeypatch.setattr(theirs, "PyPIService", lambda **_: 1 / 0)
    assert only_why(audit("a 1.0")) == "pip-audit does not work here (ZeroDivisionError)"


def test_only_names_and_versions_leave(
    pypi: Pypi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    pypi.add("a 1.0")
    assert audit("a 1.0").state == "clean"
    (sent,) = pypi.headers
    assert set(sent) <= {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


def test_an_answer_is_remembered_for_a_day(pypi: Pypi) -> None:
    pypi.add("a 1.0", ADVISORY)
    first = audit("a 1.0")
    assert audit("a 1.0") == first and len(pypi.asked) == 1
    for age, asked in ((timedelta(hours=23), 1), (timedelta(hours=25), 2), (-timedelta(days=2), 3)):
        age_all(age)
        assert audit("a 1.0").found == first.found
        assert len(pypi.asked) == asked


@pytest.mark.parametrize("text", ["", "{}", "[", '{"state": "clean", "packages": 1}', "\0"])
def test_what_is_remembered_wrongly_is_asked_again(pypi: Pypi, text: str) -> None:
    pypi.add("a 1.0", ADVISORY)
    audit("a 1.0")
    remembered()[0].write_text(text)
    assert audit("a 1.0").state == "found" and len(pypi.asked) == 2


def test_what_another_service_said_does_not_count(
    pypi: Pypi, monkeypatch: pytest.MonkeyPatch
) -> None:
    pypi.add("a 1.0")
    assert audit("a 1.0").state == "clean"
    monkeypatch.setenv("JUPYTER_MLOPS_AUDIT_URL", pypi.url.replace("127.0.0.1", "localhost"))
    assert audit("a 1.0").service.startswith("localhost:") and len(pypi.asked) == 2


def test_a_service_that_knows_nothing_at_all_is_asked_again_soon(pypi: Pypi) -> None:
    first = audit("a 1.0", "b 1.0")
    assert first.state == "not checked" and audit("a 1.0", "b 1.0") == first
    pypi.add("a 1.0")
    pypi.add("b 1.0")
    age_all(timedelta(minutes=11))
    assert audit("a 1.0", "b 1.0").state == "clean" and len(pypi.asked) == 4


def test_a_home_that_cannot_be_written_is_no_obstacle(pypi: Pypi, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    pypi.add("a 1.0")
    assert audit("a 1.0").state == "clean"


def test_the_answer_is_json(pypi: Pypi) -> None:
    pypi.add("a 1.0", ADVISORY)
    found = audit("a 1.0", "b 1.0")
    text = json.dumps(msgspec.to_builtins(found))
    assert msgspec.json.decode(text, type=Audit) == found
    assert sha256("a", "1.0") not in text


@pytest.mark.network
def test_the_true_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JUPYTER_MLOPS_AUDIT_URL", raising=False)
    found = audit("jinja2 2.4.1")
    # The hash is not the true one, so it is never clean; where nobody answers, nobody knows.
    assert found.state in ("found", "not checked")
    if found.state == "found":
        assert any("PYSEC-2014-8" in (each.id, *each.aliases) for each in found.found)
