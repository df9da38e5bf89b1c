"""Private indexes: honoured as uv and pip are configured, and their credentials written nowhere."""

from __future__ import annotations

import logging
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from jupyter_mlops import settings
from jupyter_mlops.environment import indexes, lock, uv, verify
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Event
from tests.environment.conftest import MakeKernel, needs
from tests.environment.loopback import Index, served, wheel, write

pytestmark = pytest.mark.slow  # each starts uv several times

USER, PASSWORD, TOKEN = "meister", "hunter2%2Fslash", "t0k3n-of-the-file"
SECRETS = (PASSWORD, "hunter2/slash", "hunter2", TOKEN, USER)


@pytest.fixture
def private(index: Index, monkeypatch: pytest.MonkeyPatch) -> Index:
    """The index asks for a user and a password, and each file's address holds a token."""
    index.user, index.password, index.token = USER, "hunter2/slash", TOKEN
    index.add(wheel("alpha", "1.0", ["beta"]), wheel("beta", "1.0"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", with_password(index))
    return index


def with_password(index: Index) -> str:
    return f"http://{USER}:{PASSWORD}@{index.host}/simple"


def traces(*folders: Path) -> Iterator[str]:
    """Yield every file that holds a secret; uv's own cache is not ours."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes() + path.name.encode()
                yield from (f"{path}: {s}" for s in SECRETS if s.encode() in content)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("UV_CACHE_DIR", "anything", "https://pypi.org/simple"),
        ("UV_DEFAULT_INDEX", "ours=https://host/simple ", "https://host/simple"),
        ("UV_INDEX_URL", "http://host:8080/simple", "http://host:8080/simple"),
        ("PIP_INDEX_URL", "https://host/simple", "https://host/simple"),
        ("UV_DEFAULT_INDEX", "https://user:word@host/simple", ""),
        ("UV_DEFAULT_INDEX", "https://host/simple?token=word", ""),
        ("UV_DEFAULT_INDEX", "file:///srv/simple", ""),
        ("UV_DEFAULT_INDEX", "/srv/simple", ""),
    ],
)
def test_the_default_index_is_named_without_a_login(
    unconfigured: None, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert indexes.default() == expected


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"])
def test_credentials_leave_no_trace_and_the_lock_can_be_installed(
    private: Index,
    kernel_with: MakeKernel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    monkeypatch.setenv(variable, with_password(private))
    events: list[Event] = []
    found = lock.lock([needs("alpha", "1.0")], kernel_with(), on_event=events.append)
    assert private.host in found.text
    made = verify.create(found, sys.executable)
    assert (made.site_packages / "alpha.py").is_file()
    private.projects["alpha"].clear()
    private.projects["beta"].clear()
    with pytest.raises(LockError) as gone:
        lock.lock([needs("alpha", "1.0")], kernel_with(), on_event=events.append)
    monkeypatch.setenv(variable, with_password(private).replace(PASSWORD, f"{PASSWORD}-wrong"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another"))
    with pytest.raises(LockError, match="refuses the credentials") as refused:
        lock.lock([needs("alpha", "1.0")], kernel_with(), on_event=events.append)
    said = [str(gone.value), str(refused.value), found.text, caplog.text]
    said += [msgspec.json.encode(event).decode() for event in events]
    assert not [secret for secret in SECRETS for text in said if secret in text]
    assert not list(traces(settings.home(), temporary))
    assert not list(temporary.iterdir())


def test_a_command_line_never_holds_credentials(
    private: Index, kernel_with: MakeKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    real = subprocess.run

    def noted(command: list[str], **options: object) -> object:
        commands.append(command)
        return real(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", noted)
    found = lock.lock([needs("alpha", "1.0")], kernel_with())
    verify.create(found, sys.executable)
    assert len(commands) >= 3
    words = " ".join(word for command in commands for word in command)
    assert not [secret for secret in SECRETS if secret in words]


@pytest.mark.parametrize("how", ["netrc", "named index", "uv.toml", "uv.toml of the project"])
def test_credentials_from_elsewhere(
    private: Index,
    kernel_with: MakeKernel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    folder = tmp_path / "project"
    folder.mkdir()
    text = f'[[index]]\nurl = "{with_password(private)}"\ndefault = true\n'
    if how == "netrc":
        monkeypatch.setenv("UV_DEFAULT_INDEX", private.url)
        netrc = tmp_path / "user" / "netrc"
        netrc.write_text(f"machine 127.0.0.1 login {USER} password hunter2/slash\n")
    elif how == "named index":
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"corp={private.url}")
        monkeypatch.setenv("UV_INDEX_CORP_USERNAME", USER)
        monkeypatch.setenv("UV_INDEX_CORP_PASSWORD", "hunter2/slash")
    elif how == "uv.toml":
        (tmp_path / "user" / "uv").mkdir()
        (tmp_path / "user" / "uv" / "uv.toml").write_text(text)
    else:
        (folder / "uv.toml").write_text(text)
    found = lock.lock([needs("alpha", "1.0")], kernel_with(), folder=folder)
    made = verify.create(found, sys.executable, folder=folder)
    assert (made.site_packages / "beta.py").is_file()
    assert not [secret for secret in SECRETS if secret in found.text]


def pip_conf(folder: Path, text: str) -> None:
    (folder / "user" / "pip").mkdir(parents=True)
    (folder / "user" / "pip" / "pip.conf").write_text(text)


def test_the_index_of_pip_is_asked_where_uv_has_none(
    private: Index, kernel_with: MakeKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    monkeypatch.delenv("PIP_CONFIG_FILE")
    write(tmp_path / "mine", wheel("local-thing", "1.0"))
    pip_conf(
        tmp_path,
        f"[global]\nindex-url = http://nobody@127.0.0.1:9/simple\nfind-links =\n    "
        f"{tmp_path / 'mine'}\n[install]\nindex_url = {with_password(private)}\n",
    )
    events: list[Event] = []
    wanted = [needs("alpha", "1.0"), needs("local-thing", "1.0")]
    found = lock.lock(wanted, kernel_with(), on_event=events.append)
    verify.create(found, sys.executable)
    said = found.text + str(events)
    assert not [secret for secret in SECRETS if secret in said]
    assert not list(traces(settings.home()))
    private.projects["alpha"].clear()
    with pytest.raises(LockError) as caught:
        lock.lock(wanted, kernel_with())
    assert not [secret for secret in SECRETS if secret in str(caught.value)]


def test_every_index_of_pip_counts_as_pip_takes_them(
    index: Index, kernel_with: MakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extra index may have a package in other versions than the kernel's."""
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    index.add(wheel("alpha", "2.0"))
    other = Index()
    other.add(wheel("alpha", "1.0"))
    with served(other):
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", other.url)
        found = lock.lock([needs("alpha", "2.0")], kernel_with())
    assert "alpha-2.0" in found.text


def test_uv_s_own_index_wins_over_pip_s(
    index: Index, kernel_with: MakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(wheel("alpha", "1.0"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert "alpha-1.0" in lock.lock([needs("alpha")], kernel_with()).text


def test_pip_s_no_index_and_find_links_are_enough(
    unconfigured: None, kernel_with: MakeKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [*lock.RUNTIME, "alpha"]
    write(tmp_path / "mine", *(wheel(name, "1.0") for name in names))
    monkeypatch.setenv("PIP_NO_INDEX", "true")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "mine"))
    found = lock.lock([needs("alpha")], kernel_with())
    assert sorted(package.name for package in found.packages) == sorted(names)
    made = verify.create(found, sys.executable)
    assert (made.site_packages / "alpha.py").is_file()
    assert not list(made.site_packages.rglob("direct_url.json"))


def test_what_pip_is_configured_for_becomes_uv_s(
    unconfigured: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings_of_pip = {
        "TRUSTED_HOST": "a.example b.example:8443",
        "PROXY": "http://me:secret-of-proxy@127.0.0.1:3128",
        "CERT": str(tmp_path / "ca.pem"),
        "CLIENT_CERT": str(tmp_path / "me.pem"),
        "KEYRING_PROVIDER": "subprocess",
    }
    for name, value in settings_of_pip.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    found = indexes.environment()
    assert found["UV_INSECURE_HOST"] == "a.example b.example:8443"
    assert found["ALL_PROXY"] == settings_of_pip["PROXY"]
    assert found["SSL_CERT_FILE"] == str(tmp_path / "ca.pem")
    assert found["SSL_CLIENT_CERT"] == str(tmp_path / "me.pem")
    assert found["UV_KEYRING_PROVIDER"] == "subprocess"
    assert uv.scrub("no way through secret-of-proxy") == "no way through ****"
    monkeypatch.setenv("SSL_CERT_FILE", "/own.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    found = indexes.environment()
    assert found["SSL_CERT_FILE"] == "/own.pem" and "ALL_PROXY" not in found


def test_pip_s_files_count_in_pip_s_order(
    unconfigured: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from jupyter_mlops.environment import pip_settings

    pip_conf(tmp_path, "[global]\ntimeout = 1\nproxy = user\n[install]\nproxy = install\n")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "pip.conf").write_text("[global]\ntimeout = 2\n[list]\nproxy = no\n")
    (tmp_path / "chosen.conf").write_text("[global]\nretries = 3\n")
    (tmp_path / "broken.conf").write_text("retries = 3\n")
    given = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "user")}
    found = pip_settings.read(given, str(tmp_path / "site"))
    assert (found["timeout"], found["proxy"]) == ("2", "install")
    chosen = {**given, "PIP_CONFIG_FILE": str(tmp_path / "chosen.conf"), "PIP_PROXY": "own"}
    found = pip_settings.read(chosen, str(tmp_path / "site"))
    assert (found["retries"], found["timeout"], found["proxy"]) == ("3", "2", "own")
    broken = {**given, "PIP_CONFIG_FILE": str(tmp_path / "broken.conf")}
    assert "retries" not in pip_settings.read(broken, str(tmp_path / "site"))
    off = {**given, "PIP_CONFIG_FILE": os.devnull, "PIP_PROXY": "own"}
    assert pip_settings.read(off, str(tmp_path / "site"))["proxy"] == "own"
    assert "timeout" not in pip_settings.read(off, str(tmp_path / "site"))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("see https://me:pw@host/x and http://t@h/", "see https://host/x and http://h/"),
        ("https://me:p@ss:w@host/x@1", "https://host/x@1"),
        ("for url (http://host/a.whl?sig=x&y=z)", "for url (http://host/a.whl)"),
        ("git+https://tok@host/r.git?x=1#egg=a", "git+https://host/r.git#egg=a"),
        ("a question? mail me@host", "a question? mail me@host"),
    ],
)
def test_credentials_never_stay_in_a_text(unconfigured: None, text: str, clean: str) -> None:
    assert uv.scrub(text) == clean


def test_an_index_that_comes_back_is_waited_for(index: Index, kernel_with: MakeKernel) -> None:
    index.add(wheel("alpha", "1.0"))
    index.failures = 2
    events: list[Event] = []
    found = lock.lock([needs("alpha")], kernel_with(), on_event=events.append)
    assert "alpha-1.0" in found.text
    told = [e.text for e in events if "trying again" in getattr(e, "text", "")]  # type: ignore[union-attr]
    assert 1 <= len(told) <= 2


def test_an_index_that_stays_down_is_said_and_calling_again_goes_on(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("alpha", "1.0", ["beta"]), wheel("beta", "1.0"))
    found = lock.lock([needs("alpha")], kernel_with())
    index.failures = 10_000
    other = needs("other")
    with pytest.raises(LockError, match="index cannot be reached") as caught:
        lock.lock([other], kernel_with())
    assert "call again" in str(caught.value)
    with pytest.raises(LockError, match="stopped answering") as caught:
        verify.create(found, sys.executable)
    assert "what was fetched is kept" in str(caught.value)
    assert not list(settings.environments().glob("*/ready.json"))
    # It answers again, for a while: what comes is kept, and the next call needs only the rest.
    index.failures = 0
    index.asked.clear()
    assert (verify.create(found, sys.executable).site_packages / "alpha.py").is_file()
    assert len([path for path in index.asked if path.endswith("alpha-1.0-py3-none-any.whl")]) == 1


def test_the_certificate_of_an_own_authority(
    index: Index, kernel_with: MakeKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trusted where pip is told of it; else the system's are tried, then it is said."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    tried: list[bool] = []
    real = subprocess.run

    def noted(command: list[str], **options: Any) -> Any:
        tried.append("UV_SYSTEM_CERTS" in options["env"])
        return real(command, **options)

    secure = Index(projects=index.projects)
    with served(secure, context):
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"https://{secure.host}/simple")
        events: list[Event] = []
        with monkeypatch.context() as patch, pytest.raises(LockError, match="not trusted"):
            patch.setattr(subprocess, "run", noted)
            lock.lock([], kernel_with(), on_event=events.append)
        assert tried == [False, True] and events == []
        monkeypatch.setenv("PIP_CERT", str(tmp_path / "ca.pem"))
        found = lock.lock([], kernel_with())
        assert verify.create(found, sys.executable).python.exists()


def test_files_that_moved_are_found_by_their_hash(
    index: Index, kernel_with: MakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configured index has the same files as one that refuses us, or is gone."""
    index.add(wheel("alpha", "1.0"))
    other = Index(projects=dict(index.projects))
    with served(other):
        monkeypatch.setenv("UV_DEFAULT_INDEX", other.url)
        found = lock.lock([needs("alpha")], kernel_with())
        other.user, other.password = "me", "nobody knows"
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        made = verify.create(found, sys.executable)
    assert (made.site_packages / "alpha.py").is_file()
    monkeypatch.setenv("UV_NO_CACHE", "1")
    again = lock.parse(found.text + "\n", found.python, found.platform)
    made = verify.create(again, sys.executable)
    assert (made.site_packages / "alpha.py").is_file()
    index.projects["alpha"][0].content = wheel("alpha", "1.0", ["beta"])[1]
    changed = lock.parse(found.text + "\n\n", found.python, found.platform)
    with pytest.raises(LockError, match="cannot be installed"):
        verify.create(changed, sys.executable)
    assert not (settings.environments() / f"{changed.sha256[:24]}-py{changed.python}").exists()
