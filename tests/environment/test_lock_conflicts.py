"""What cannot be locked: the two that clash and who asked for them, what is gone, what was said."""

from __future__ import annotations

import sys

import pytest

from jupyter_mlops.environment import clash, complaints, lock
from jupyter_mlops.environment.asking import BY_HAND, Asked, Asker
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.environment.resolution import Target
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Event
from tests.environment.conftest import MakeKernel, needs
from tests.environment.loopback import Index, wheel

pytestmark = pytest.mark.slow  # each starts uv several times


@pytest.fixture(autouse=True)
def _packages(index: Index) -> None:
    index.add(*(wheel("beta", version) for version in ("1.0", "1.5", "2.0")))
    index.add(wheel("left", "1.0", ["beta<1.2"]), wheel("right", "1.0", ["beta>=2"]))
    index.add(wheel("deep-left", "1.0", ["left"]), wheel("deeper-left", "1.0", ["deep-left"]))


def refused(*wanted: lock.Dependency, kernel: lock.Interpreter, **options: object) -> str:
    with pytest.raises(LockError) as caught:
        lock.lock(list(wanted), kernel, options=LockOptions(**options))  # type: ignore[arg-type]
    return str(caught.value)


def test_the_two_requirements_and_their_cells(kernel_with: MakeKernel) -> None:
    said = refused(
        needs("left", "1.0", cell=2),
        needs("right", "1.0", cell=5, why="%pip install in cell 5"),
        kernel=kernel_with(),
    )
    assert said == (
        "cell 2, cell 5: Two requirements of 'beta' exclude each other: <1.2 and >=2. "
        "left 1.0 needs beta <1.2 (cell 2 imports it); "
        "right 1.0 needs beta >=2 (%pip install in cell 5). "
        "Choose versions of left and right that agree, or remove one."
    )


def test_the_way_down_to_a_clash_is_named(kernel_with: MakeKernel) -> None:
    said = refused(
        needs("deeper-left", "1.0", cell=3), needs("right", "1.0", cell=5), kernel=kernel_with()
    )
    assert "deeper-left 1.0 needs deep-left, which needs left, which needs beta <1.2" in said
    assert "cell 3" in said and "cell 5" in said


def test_a_pin_of_the_notebook_against_a_package(kernel_with: MakeKernel) -> None:
    said = refused(needs("left", "1.0", cell=2), needs("beta", "2.0", cell=4), kernel=kernel_with())
    assert "'beta' exclude each other" in said and "==2.0" in said and "<1.2" in said
    assert "cell 2" in said and "cell 4" in said


def test_a_bound_that_a_person_set_against_a_package(kernel_with: MakeKernel) -> None:
    said = refused(needs("left", "1.0"), kernel=kernel_with(), overrides={"beta": "1.5"})
    assert "'beta' exclude each other" in said and "==1.5" in said and "<1.2" in said


def test_the_image_itself_is_named_when_it_clashes(index: Index, kernel_with: MakeKernel) -> None:
    index.add(wheel("starlette", "2.0", ["beta>=2"]))
    index.projects["starlette"].pop(0)
    said = refused(needs("left", "1.0"), kernel=kernel_with())
    assert "starlette" in said and "the image's own server and runner" in said


def test_a_requirement_from_a_file_is_named(kernel_with: MakeKernel) -> None:
    said = refused(
        needs("left", "1.0", cell=1),
        lock.Dependency(
            name="beta",
            version="",
            specifier=">=1.5",
            modules=[],
            cells=[],
            source="requirements",
            why="requirements.txt, line 3",
        ),
        kernel=kernel_with(),
    )
    assert "requirements.txt, line 3" in said and ">=1.5" in said


def test_kernel_versions_that_disagree_give_way_and_are_told(kernel_with: MakeKernel) -> None:
    events: list[Event] = []
    found = lock.lock(
        [needs("left", "1.0")],
        kernel_with(left="1.0", beta="2.0", right="1.0", uvicorn="1.0"),
        on_event=events.append,
    )
    assert {p.name: p.version for p in found.packages}["beta"] == "1.0"
    [told] = [e.text for e in events if "do not agree" in getattr(e, "text", "")]  # type: ignore[union-attr]
    assert "these do not keep their version: beta." in told


def test_a_version_that_is_gone(kernel_with: MakeKernel) -> None:
    said = refused(needs("beta", "1.7", cell=6), kernel=kernel_with())
    assert said.startswith("cell 6: The package index has no 'beta' 1.7.")


def test_a_distribution_that_no_index_has(kernel_with: MakeKernel) -> None:
    said = refused(needs("nowhere", "1.0", cell=6), kernel=kernel_with(left="1.0", beta="2.0"))
    assert said.startswith("cell 6: The package index has no distribution 'nowhere'")


def test_a_yanked_version_is_taken_only_where_the_kernel_has_it(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("gone", "1.0"), yanked="it deletes files")
    events: list[Event] = []
    found = lock.lock([needs("gone", "1.0")], kernel_with(), on_event=events.append)
    assert "gone" in {package.name for package in found.packages}
    [told] = [e.text for e in events if "gone" in getattr(e, "text", "")]  # type: ignore[union-attr]
    assert told.startswith("gone 1.0 was withdrawn from its index (it deletes files)")
    said = refused(needs("gone", cell=3), kernel=kernel_with())
    assert said.startswith("cell 3: 'gone 1.0' was withdrawn from its index: it deletes files")


def test_a_python_that_a_package_refuses(index: Index, kernel_with: MakeKernel) -> None:
    name, content = wheel("modern", "3.0")
    index.add((name, content), requires_python=">=3.99")
    said = refused(needs("modern", "3.0", cell=2), kernel=kernel_with())
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"'modern==3.0' does not run on Python {minor}. It needs Python >=3.99" in said


def test_a_kernel_with_broken_versions(kernel_with: MakeKernel) -> None:
    kernel = kernel_with(**{"beta": "1.0", "-eta": "1.0", "left": "not a version"})
    found = lock.lock([needs("beta", "1.0")], kernel)
    assert "beta" in {package.name for package in found.packages}
    with pytest.raises(LockError, match="cell 2: The kernel's 'left' has no valid version"):
        lock.lock([needs("left", "not a version")], kernel)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "Because a==1.0 depends on one of:\n    b<1\n    b>5\nand you require a==1.0",
            None,
        ),
        (
            "Because a>=1,<2 depends on b[x]>=2,<3 and c==3 depends on b>=3.1, we can conclude",
            "Two requirements of 'b' exclude each other: >=2,<3 and >=3.1",
        ),
        ("Because a==1.0 depends on b>=2 and c==3 depends on b>=3.1, we can conclude", None),
        ("Because a==1.0 depends on b~=2.1 and c==3 depends on b!=2.1, we can conclude", None),
        (
            "Because a==1.0 depends on b==2.1.* and c==3 depends on b<2.1, we can conclude",
            "Two requirements of 'b' exclude each other: ==2.1.* and <2.1",
        ),
    ],
)
def test_only_what_really_excludes_each_other_is_said(text: str, says: str | None) -> None:
    asked = Asked(direct={"a": "a"}, who={"a": Asker("cell 1 imports it", "cell 1")})
    found = clash.find(text, asked)
    assert (found.problem if found else None) == says


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        (Asked(), "Bring the kernel's packages into agreement"),
        (
            Asked(bounds={"beta": "1.5"}, who={"zeta": BY_HAND, "left": Asker("cell 2", "")}),
            "Undo or change the edits of beta, zeta, or bring",
        ),
    ],
)
def test_a_persons_edits_are_named_where_nobody_sees_the_clash(asked: Asked, remedy: str) -> None:
    target = Target(
        platform="linux/amd64", python="3.11", until="", accelerator="cpu", is_here=True
    )
    assert remedy in str(complaints.explained("something odd", asked, target))
