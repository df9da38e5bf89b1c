"""Installed packages, and how they share layers."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image.distributions import Distribution, normalised, read_distributions
from jupyter_mlops.image.layer import Entry
from jupyter_mlops.image.partition import MOST_LAYERS, build_layers, partition
from jupyter_mlops.image.site import site_layers

Install = Callable[..., Path]


def hashed(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Return an installer: writes a package as uv does into a venv of its own name."""

    def run(venv: str = "venv", name: str = "Demo.Pkg", **extra: bytes) -> Path:
        site = tmp_path / venv / "lib" / "python3.11" / "site-packages"
        info = f"{name.replace('.', '_')}-1.0.dist-info"
        module = name.lower().replace(".", "_")
        python = str(tmp_path / venv / "bin" / "python").encode()
        files = {
            f"{module}/__init__.py": b"x = 1\n",
            f"{module}/tool.sh": b"#!/bin/sh\n",
            f"{module}/__pycache__/__init__.cpython-311.pyc": str(tmp_path / venv).encode(),
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\n",
            f"{info}/INSTALLER": b"uv",
            f"{info}/REQUESTED": b"",
            f"{info}/direct_url.json": b'{"url": "https://user:token@index.example/x"}',
            f"{info}/uv_cache.json": venv.encode(),
            f"../../../bin/{module}": b"#!" + python + b"\nimport demo\n",
            f"../../../bin/{module}-long": b"#!/bin/sh\n'''exec' '"
            + python
            + b"' \"$0\" \"$@\"\n' '''\nimport demo\n",
            f"../../../share/{module}/data.txt": b"data",
            **extra,
        }
        rows = []
        for path, data in files.items():
            target = site / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            rows.append(f"{path},sha256={hashed(data)},{len(data)}")
        (site / f"{module}/tool.sh").chmod(0o755)
        random.Random(venv).shuffle(rows)
        (site / info / "RECORD").write_text("\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
        return site

    return run


def test_a_package_is_a_function_of_its_wheel(install: Install, tmp_path: Path) -> None:
    sites = [install("one"), install("another-much-longer-name-of-a-venv")]
    layers = []
    for number, site in enumerate(sites):
        groups = partition(read_distributions(site, {"demo-pkg": "a" * 64}))
        layers += build_layers(groups, store=tmp_path / f"store{number}")
    assert layers[0].descriptor == layers[1].descriptor
    assert not layers[0].notes


def test_what_an_installer_adds_is_left_out(install: Install) -> None:
    (found,) = read_distributions(install(), {"Demo_Pkg": "a" * 64})
    assert (found.name, found.version, found.sha256) == ("demo-pkg", "1.0", "a" * 64)
    entries = {entry.path.removeprefix("opt/mlops/site/"): entry for entry in found.files}
    assert sorted(entries) == [
        "Demo_Pkg-1.0.dist-info/METADATA",
        "Demo_Pkg-1.0.dist-info/RECORD",
        "Demo_Pkg-1.0.dist-info/WHEEL",
        "bin/demo_pkg",
        "bin/demo_pkg-long",
        "demo_pkg/__init__.py",
        "demo_pkg/tool.sh",
        "share/demo_pkg/data.txt",
    ]
    assert entries["bin/demo_pkg"].source == b"#!/usr/bin/env python3\nimport demo\n"
    assert entries["bin/demo_pkg-long"].source == b"#!/usr/bin/env python3\nimport demo\n"
    assert entries["bin/demo_pkg"].executable and entries["demo_pkg/tool.sh"].executable
    assert not entries["demo_pkg/__init__.py"].executable
    record = entries["Demo_Pkg-1.0.dist-info/RECORD"].source
    assert isinstance(record, bytes)
    assert b"token" not in record and b"pycache" not in record
    script = b"#!/usr/bin/env python3\nimport demo\n"
    assert f"bin/demo_pkg,sha256={hashed(script)},{len(script)}\n".encode() in record


def test_what_cannot_be_read_is_a_sentence(install: Install, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="packages cannot be read"):
        read_distributions(tmp_path / "nothing")
    site = install()
    (site / "demo_pkg" / "__init__.py").unlink()
    with pytest.raises(ImageError, match="is not there"):
        read_distributions(site)
    (site / "Demo_Pkg-1.0.dist-info" / "RECORD").unlink()
    with pytest.raises(ImageError, match="no list of its files"):
        read_distributions(site)


def test_a_file_outside_of_the_environment_is_refused(install: Install) -> None:
    site = install()
    record = site / "Demo_Pkg-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "/etc/passwd,,\n")
    with pytest.raises(ImageError, match="outside"):
        read_distributions(site)


def made(name: str, size: int, *paths: str) -> Distribution:
    files = tuple(Entry(path, b"") for path in (paths or (f"site/{name}.py",)))
    return Distribution(name, "1", files, size, hashlib.sha256(name.encode()).hexdigest())


MIB = 1 << 20


def test_heavy_packages_have_a_layer_of_their_own() -> None:
    found = partition(
        [made("tiny", 10), made("scipy", 9 * MIB), made("aaa", 2 * MIB), made("numpy", MIB)]
    )
    assert [group.title for group in found.groups] == [
        "numpy==1",
        "scipy==1",
        "aaa==1",
        "1 small packages",
    ]


def test_packages_that_own_the_same_file_share_a_layer() -> None:
    found = partition(
        [
            made("b", 2 * MIB, "site/common.py", "site/b.py"),
            made("c", 10, "site/c.py"),
            made("a", 10, "site/common.py"),
        ]
    )
    shared, bundle = found.groups
    assert [item.name for item in shared.distributions] == ["a", "b"]
    assert [item.name for item in bundle.distributions] == ["c"]
    assert len([entry for entry in shared.entries if entry.path == "site/common.py"]) == 1
    assert "a and b both hold site/common.py" in found.notes[0]


def test_chains_of_shared_files_end_in_one_group() -> None:
    found = partition(
        [made("a", MIB, "1"), made("b", MIB, "1", "2"), made("c", MIB, "2"), made("d", MIB, "4")]
    )
    names = [{item.name for item in group.distributions} for group in found.groups]
    assert names == [{"a", "b", "c"}, {"d"}]


def test_without_a_hash_nothing_is_remembered() -> None:
    unknown = Distribution("x", "1", (Entry("x", b""),), 2 * MIB)
    (group,) = partition([unknown]).groups
    assert group.key is None


names = st.sampled_from(["numpy", "scipy", "pandas", "torch", *[f"p{n}" for n in range(150)]])
sets = st.dictionaries(names, st.integers(0, 3 * MIB), max_size=140)


@given(sets, st.randoms(use_true_random=False))
def test_a_partition_is_disjoint_complete_capped_and_stable(
    sizes: dict[str, int], shuffled: random.Random
) -> None:
    every = [made(name, size) for name, size in sizes.items()]
    found = partition(every)
    members = [item.name for group in found.groups for item in group.distributions]
    assert sorted(members) == sorted(sizes)
    assert len(found.groups) <= MOST_LAYERS - 20
    paths = [entry.path for group in found.groups for entry in group.entries]
    assert len(paths) == len(set(paths))
    shuffled.shuffle(every)
    assert partition(every) == found


@given(sets.filter(lambda sizes: len(sizes) < 60), st.integers(0, 3 * MIB))
def test_a_new_last_package_keeps_the_layers_before_it(sizes: dict[str, int], size: int) -> None:
    before = partition([made(name, size) for name, size in sizes.items()]).groups
    after = partition(
        [made("zzz", size), *(made(name, size) for name, size in sizes.items())]
    ).groups
    own = [group for group in before if group.kind == "wheel"]
    assert list(after[: len(own)]) == own


@pytest.mark.parametrize(
    ("given_name", "expected"), [("A.b_C--d", "a-b-c-d"), ("numpy", "numpy"), ("X", "x")]
)
def test_names_are_compared_as_indexes_do(given_name: str, expected: str) -> None:
    assert normalised(given_name) == expected


def test_the_same_lock_finds_its_layers_alone(install: Install, tmp_path: Path) -> None:
    site, store = install(), tmp_path / "store"

    def nothing() -> dict[str, str]:
        raise AssertionError("it should not be looked at again")

    first, notes = site_layers(site, lambda: {"demo-pkg": "a" * 64}, key="lock", store=store)
    assert [layer.kind for layer in first] == ["bundle"] and notes == []
    assert site_layers(tmp_path / "gone", nothing, key="lock", store=store) == (first, notes)
    with pytest.raises(ImageError):
        site_layers(tmp_path / "gone", dict, key="another lock", store=store)
    for path in (store / "blobs" / "sha256").iterdir():
        path.unlink()
    again, _ = site_layers(site, lambda: {"demo-pkg": "a" * 64}, key="lock", store=store)
    assert again == first


def test_packages_that_nothing_vouches_for_are_read_each_time(
    install: Install, tmp_path: Path
) -> None:
    """Without a wheel's hash, or with a file that its wheel does not have."""
    site, store = install(), tmp_path / "store"
    site_layers(site, dict, key="no hash", store=store)
    (site / "demo_pkg" / "__init__.py").write_bytes(b"x = 2\n")
    _, notes = site_layers(site, lambda: {"demo-pkg": "a" * 64}, key="changed", store=store)
    assert "is not the file that its package was published with" in notes[0]
    for key in ("no hash", "changed"):
        with pytest.raises(ImageError):
            site_layers(tmp_path / "gone", dict, key=key, store=store)
