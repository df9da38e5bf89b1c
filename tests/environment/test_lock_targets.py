"""Locks for another platform, another Python, another day, and PyTorch's variants."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from jupyter_mlops.environment import lock
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Event
from tests.environment.conftest import MakeKernel, needs
from tests.environment.loopback import Index, wheel

pytestmark = pytest.mark.slow  # each starts uv several times

X86 = "manylinux_2_17_x86_64"
ARM = "manylinux_2_17_aarch64"
PYTORCH = "download.pytorch.org"


def wheels_of(found: lock.Lock, name: str) -> list[str]:
    return sorted(wheel for p in found.packages if p.name == name for wheel in p.wheels)


def test_an_arm64_lock_from_any_machine(index: Index, kernel_with: MakeKernel) -> None:
    for tag in (X86, ARM):
        index.add(wheel("alpha", "1.0", tag=f"cp312-cp312-{tag}"))
        index.add(wheel("alpha", "1.0", tag=f"cp311-cp311-{tag}"))
    arm = LockOptions(platform="linux/arm64", python="3.12")
    intel = LockOptions(platform="linux/amd64", python="3.11")
    found = lock.lock([needs("alpha", "1.0")], kernel_with(), options=arm)
    assert (found.platform, found.python) == ("linux/arm64", "3.12")
    assert wheels_of(found, "alpha") == [f"alpha-1.0-cp312-cp312-{ARM}.whl"]
    other = lock.lock([needs("alpha", "1.0")], kernel_with(), options=intel)
    assert wheels_of(other, "alpha") == [f"alpha-1.0-cp311-cp311-{X86}.whl"]


def test_a_target_chosen_needs_no_kernel_that_could_prove_it(
    index: Index, kernel_with: MakeKernel
) -> None:
    mac = lock.Interpreter("3.12.1", "Darwin", "arm64", frozenset(), {}, {})
    found = lock.lock([], mac, options=LockOptions(platform="linux/arm64"))
    assert (found.platform, found.python) == ("linux/arm64", "3.12")
    with pytest.raises(LockError, match="cannot prove a Linux image"):
        lock.lock([], mac)


def test_what_the_other_platform_lacks_is_one_sentence(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("alpha", "1.0", tag=f"cp311-cp311-{X86}"))
    with pytest.raises(LockError) as caught:
        lock.lock(
            [needs("alpha", "1.0", cell=7)],
            kernel_with(),
            options=LockOptions(platform="linux/arm64", python="3.11"),
        )
    said = str(caught.value)
    assert said.startswith("cell 7: 'alpha' has no wheel for the image's platform")
    assert "linux/arm64" in said and "3.11" in said


def test_all_that_the_other_platform_lacks_is_named_at_once(
    index: Index, kernel_with: MakeKernel
) -> None:
    """Also what only another package needs, where a run has proven its version."""
    for name in ("alpha", "gamma"):
        index.add(wheel(name, "1.0", ["beta"], tag=f"cp311-cp311-{X86}"))
    index.add(wheel("delta", "1.0", ["beta", "epsilon; platform_machine == 'x86_64'"]))
    index.add(wheel("beta", "1.0", tag=f"cp311-cp311-{X86}"), wheel("beta", "2.0"))
    index.add(wheel("epsilon", "1.0", tag=f"cp311-cp311-{X86}"))
    options = LockOptions(platform="linux/arm64", python="3.11")
    direct = [needs(name, "1.0") for name in ("alpha", "gamma", "delta")]
    with pytest.raises(LockError) as caught:
        lock.lock(direct, kernel_with(), options=options)
    assert [problem.problem.split("'")[1] for problem in caught.value.problems] == [
        "alpha", "gamma",
    ]  # fmt: skip
    proven = {"alpha": "1.0", "beta": "1.0", "gamma": "1.0", "delta": "1.0", "epsilon": "1.0"}
    with pytest.raises(LockError) as caught:
        lock.lock(direct, kernel_with(), options=options, proven=proven)
    said = [problem.problem.split("'")[1] for problem in caught.value.problems]
    assert said == ["alpha", "beta", "gamma"], "epsilon is not needed there"
    assert "beta 1.0 has none for Python 3.11 on linux/arm64" in str(caught.value)


def test_versions_that_a_run_has_proven_are_taken_and_no_others(
    index: Index, kernel_with: MakeKernel
) -> None:
    for version in ("1.0", "2.0"):
        for tag in (X86, ARM):
            index.add(wheel("alpha", version, ["beta"], tag=f"cp311-cp311-{tag}"))
        index.add(wheel("beta", version))
    options = LockOptions(platform="linux/arm64", python="3.11")
    for version in ("1.0", "2.0"):
        found = lock.lock(
            [needs("alpha")],
            kernel_with(beta="2.0"),
            options=options,
            proven={"alpha": version, "beta": "1.0"},
        )
        versions = {package.name: package.version for package in found.packages}
        assert (versions["alpha"], versions["beta"]) == (version, "1.0")
        assert wheels_of(found, "alpha") == [f"alpha-{version}-cp311-cp311-{ARM}.whl"]


def test_a_package_that_needs_another_python_says_so(index: Index, kernel_with: MakeKernel) -> None:
    index.add(wheel("alpha", "1.0", tag="cp313-cp313-manylinux_2_17_x86_64"))
    options = LockOptions(platform="linux/amd64", python="3.11")
    with pytest.raises(LockError, match=r"alpha 1\.0 has none for Python 3\.11"):
        lock.lock(
            [needs("alpha", "1.0")],
            lock.Interpreter("3.11.2", "Linux", "riscv64", frozenset(), {}, {}),
            options=options,
        )


def test_nothing_newer_than_the_date_is_taken(index: Index, kernel_with: MakeKernel) -> None:
    index.add(wheel("alpha", "1.0"), uploaded="2023-03-10T23:00:00Z")
    index.add(wheel("alpha", "2.0"), uploaded="2023-03-11T00:00:00Z")
    found = lock.lock(
        [needs("alpha")], kernel_with(), options=LockOptions(exclude_newer="2023-03-10")
    )
    assert wheels_of(found, "alpha") == ["alpha-1.0-py3-none-any.whl"]


def test_the_image_s_own_tools_are_not_older_than_our_code_knows(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("papermill", "2.0"), wheel("skops", "2.0"), uploaded="2024-06-01T00:00:00Z")
    index.add(wheel("papermill", "3.0"), wheel("skops", "3.0"), uploaded="2025-06-01T00:00:00Z")
    index.add(wheel("scikit-learn", "1.0"))

    def versions(*wanted: str, day: str = "2023-03-10") -> dict[str, str]:
        options = LockOptions(exclude_newer=day)
        found = lock.lock([needs(name) for name in wanted], kernel_with(), options=options)
        return {package.name: package.version for package in found.packages}

    found = versions("scikit-learn")
    assert (found["papermill"], found["skops"]) == ("2.0", "2.0")
    assert versions("papermill")["papermill"] == "1.0"
    assert versions(day="2025-05-01")["papermill"] == "2.0"
    assert versions(day="2025-07-01")["papermill"] == "3.0"


@pytest.mark.parametrize("uploaded", ["2024-06-01T10:00:00Z", None])
@pytest.mark.parametrize("version", ["1.0", ""])
def test_what_only_the_date_forbids_names_the_date(
    index: Index, kernel_with: MakeKernel, uploaded: str | None, version: str
) -> None:
    index.add(wheel("alpha", "1.0"), uploaded=uploaded)
    with pytest.raises(LockError) as caught:
        lock.lock(
            [needs("alpha", version, cell=4)],
            kernel_with(),
            options=LockOptions(exclude_newer="2024-01-31"),
        )
    said = str(caught.value)
    assert said.startswith("cell 4: 'alpha 1.0' is newer than the date of the lock")
    assert "2024-02-01T00:00:00Z" in said and "--exclude-newer" in said
    assert ("published on 2024-06-01" in said) == bool(uploaded)


class _Index(BaseHTTPRequestHandler):
    """The end of a tunnel: PyTorch's own index, by its name, with a certificate of the test."""

    protocol_version = "HTTP/1.1"
    torch: Index
    context: ssl.SSLContext

    def do_CONNECT(self) -> None:
        assert self.path == f"{PYTORCH}:443", self.path
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        with self.context.wrap_socket(self.connection, server_side=True) as secure:
            self._serve(secure)
        self.close_connection = True

    def _serve(self, secure: ssl.SSLSocket) -> None:
        reader = secure.makefile("rb")
        while line := reader.readline():
            target = line.split()[1].decode()
            while reader.readline().strip():
                pass  # headers
            status, kind, body = self.torch.answer(target, "")
            head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
            secure.sendall(f"{head}\r\n\r\n".encode() + body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def tunnel(torch: Index, context: ssl.SSLContext) -> Iterator[str]:
    handler = type("Handler", (_Index,), {"torch": torch, "context": context})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def torch(index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Index]:
    """PyTorch's index, with its variants by folder; the plain one has what PyPI has: CUDA."""
    index.add(wheel("torch", "2.3.1", tag=f"cp311-cp311-{X86}"))
    index.add(wheel("lightning", "2.0", ["torch>=2"]))
    variants = Index()
    for local in ("cpu", "cu124"):
        variants.add(wheel("torch", f"2.3.1+{local}", tag=f"cp311-cp311-{X86}"))
        variants.add(wheel("torch", f"2.4.0+{local}", tag=f"cp311-cp311-{X86}"))
    answer = variants.answer

    def of_variant(target: str, authorization: str) -> tuple[int, str, bytes]:
        status, kind, body = answer(target, authorization)
        if "/whl/" not in target:
            return status, kind, body
        local = target.split("/whl/")[1].split("/")[0]
        full = dict(variants.projects)
        variants.projects = {n: [f for f in fs if f"+{local}" in f.name] for n, fs in full.items()}
        try:
            return answer(target, authorization)
        finally:
            variants.projects = full

    variants.answer = of_variant  # type: ignore[method-assign]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(PYTORCH).configure_cert(context)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with tunnel(variants, context) as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        yield variants


INTEL = {"platform": "linux/amd64", "python": "3.11"}


@pytest.mark.parametrize(
    ("accelerator", "has", "locked"),
    [
        ("cpu", "2.3.1+cu121", "2.3.1+cpu"),
        ("cpu", "2.3.1", "2.3.1+cpu"),
        ("cu124", "2.3.1+cu121", "2.3.1+cu124"),
        ("cu124", "2.3.1+cu124", "2.3.1+cu124"),
        ("index", "2.3.1", "2.3.1"),
        ("index", "2.3.1+cu121", "2.3.1"),
    ],
)
def test_the_variant_of_pytorch_is_the_target_s(
    torch: Index, kernel_with: MakeKernel, accelerator: str, has: str, locked: str
) -> None:
    events: list[Event] = []
    found = lock.lock(
        [needs("torch", has)],
        kernel_with(torch=has),
        options=LockOptions(accelerator=accelerator, **INTEL),
        on_event=events.append,
    )
    assert {p.version for p in found.packages if p.name == "torch"} == {locked}
    told = " ".join(getattr(event, "text", "") for event in events)
    assert ("torch" in told) == ("+" in has and has != locked)


def test_the_laptop_s_own_choice_does_not_count(
    torch: Index, kernel_with: MakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_TORCH_BACKEND", "cu124")
    found = lock.lock([needs("torch", "2.3.1")], kernel_with(), options=LockOptions(**INTEL))
    assert {p.version for p in found.packages if p.name == "torch"} == {"2.3.1+cpu"}


def test_pytorch_below_another_package_keeps_the_kernel_s_version(
    torch: Index, kernel_with: MakeKernel
) -> None:
    kernel = kernel_with(torch="2.3.1+cu121", lightning="2.0")
    found = lock.lock([needs("lightning", "2.0")], kernel, options=LockOptions(**INTEL))
    assert {p.version for p in found.packages if p.name == "torch"} == {"2.3.1+cpu"}


def test_a_version_that_a_variant_lacks(torch: Index, kernel_with: MakeKernel) -> None:
    with pytest.raises(LockError) as caught:
        lock.lock([needs("torch", "2.9.9")], kernel_with(), options=LockOptions(**INTEL))
    assert "no 'torch' 2.9.9" in str(caught.value)
    assert "another accelerator than cpu" in str(caught.value)


def test_another_local_version_is_kept_where_an_index_has_it(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("alpha", "1.0+ours"), wheel("alpha", "1.0"), wheel("beta", "1.0"))
    events: list[Event] = []
    wanted = [needs("alpha", "1.0+ours"), needs("beta", "1.0+theirs")]
    found = lock.lock(wanted, kernel_with(), on_event=events.append)
    versions = {p.name: p.version for p in found.packages}
    assert (versions["alpha"], versions["beta"]) == ("1.0+ours", "1.0")
    [told] = [e.text for e in events if "beta" in getattr(e, "text", "")]  # type: ignore[union-attr]
    assert told == "No index has beta 1.0+theirs, which the kernel has; 1.0 is taken instead"
