"""The images of a publication for other platforms than the kernel's, which its run proves.

For them nothing is run: packages are unpacked from wheels of the very versions that were run,
bytecode is the same on all platforms, and weights, notebooks and report come from the run. Their
records say where that was.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from jupyter_mlops import assemble, papers, prove
from jupyter_mlops.assemble import Draft
from jupyter_mlops.attest import bundle
from jupyter_mlops.attest.keys import PrivateKey
from jupyter_mlops.environment import lock as locks
from jupyter_mlops.environment import options as lock_options
from jupyter_mlops.environment import tags, wheels
from jupyter_mlops.environment import verify as environments
from jupyter_mlops.environment.ground import Ground
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.environment.system.layer import Added
from jupyter_mlops.environment.verify import Environment
from jupyter_mlops.errors import MlopsError, UsageError
from jupyter_mlops.events import Event, Log, OnEvent
from jupyter_mlops.image import contents
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import Artifact
from jupyter_mlops.packing import Packing
from jupyter_mlops.prove import Plot
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.runtime.publication import Publication

#: Files of a publication that are another platform's own; all others come from the proven one.
_OWN = ("pylock.toml", publications.FILE_NAME)


@dataclass(frozen=True)
class Proven:
    """What a publish has made for the kernel's platform; ``modules`` as ``assemble.check`` says."""

    draft: Draft
    publication: Publication
    modules: Sequence[str]
    image: Image


@dataclass(frozen=True)
class _Packages:
    """What is another platform's own beside its base."""

    lock: Lock
    environment: Environment
    added: Added | None


@dataclass
class Others:
    """The other platforms of a publish, each with its plot; none where only one is asked for."""

    plots: dict[str, Plot]
    _packages: dict[str, _Packages] = field(default_factory=dict)
    _lock: str = ""

    def prepare(self, draft: Draft, on_event: OnEvent) -> None:
        """Lock, unpack and look for system libraries, so that all that is lacking is known.

        Does nothing where that was done for the same lock. Raises ``MlopsError``: for packages
        that have no wheel of the proven version, with all their names.
        """
        if self._lock == draft.lock.sha256:
            return
        for platform, plot in self.plots.items():
            with _about(platform):
                self._packages[platform] = _packages(platform, plot, draft, on_event)
        self._lock = draft.lock.sha256

    def locks(self) -> list[Lock]:
        """Return the locks of what was prepared."""
        return [each.lock for each in self._packages.values()]

    def beside(
        self,
        proven: Proven,
        packing: Packing,
        signer: PrivateKey | None,
        on_event: OnEvent,
    ) -> tuple[Image | Index, list[list[Artifact]]]:
        """Return the index of the proven image and the others, and what is attached to these.

        Without other platforms it is the image alone, and there is nothing more to attach.
        """
        if not self.plots:
            return proven.image, []
        self.prepare(proven.draft, on_event)
        images, attached = [proven.image], []
        for platform, plot in self.plots.items():
            with _about(platform):
                draft = _draft(plot, proven.draft, self._packages[platform])
                publication = _record(draft, plot.base, proven.publication)
                modules = list(_modules(proven, draft))
                listen = _told_of(platform, on_event)
                image = assemble.build(draft, plot.base, publication, modules, listen, packing)
            images.append(image)
            attached.append(papers.write(draft, publication, image, signer))
        index = Index(tuple(images))
        if signer:
            attached.append([bundle.artifact(index.descriptor, signer)])
        return index, attached


def find(wanted: Sequence[str], ground: Ground, plot: Plot, bases: Callable[[str], Base]) -> Others:
    """Return the platforms among ``wanted`` that the run does not prove, each with its base.

    ``plot`` is that of the kernel's platform, ``bases`` gives the base for another one. Raises
    ``UsageError`` for names that are no platforms, and where the kernel's own is not wanted.
    """
    for platform in wanted:
        lock_options.check(lock_options.LockOptions(platform=platform))
    here = locks.platform_of(ground.interpreter)
    if wanted and here not in wanted:
        raise UsageError(
            f"A publication for {' and '.join(wanted)} cannot be proven here",
            why=f"The verified run uses the kernel, which is {here}",
            remedy=f"Publish for both (--platform {here} --platform {wanted[0]}), or on such a "
            "machine; its lock can be written here (jupyter mlops lock)",
        )
    plots = {}
    for platform in sorted(set(wanted) - {here}):
        with _about(platform):
            work = plot.work / platform.replace("/", "-")
            plots[platform] = dataclasses.replace(plot, work=work, base=bases(platform))
    return Others(plots)


def _packages(platform: str, plot: Plot, draft: Draft, on_event: OnEvent) -> _Packages:
    """Return a platform's packages: the versions of a draft, unpacked from wheels."""
    listen = _told_of(platform, on_event)
    source, ground, proven = draft.source, draft.ground, draft.lock
    folder = source.path.parent
    lock = locks.lock(
        ground.inferred.dependencies,
        ground.interpreter,
        options=msgspec.structs.replace(ground.options, platform=platform),
        extra_wheels=list(_wheels_of_any(proven, platform)),
        proven={package.name: package.version for package in proven.packages},
        folder=folder,
        on_event=listen,
    )
    _tell_difference(proven, lock, listen)
    environment = environments.create(lock, ground.kernel.executable, folder=folder, foreign=True)
    added = prove.system_layer(plot, source, environment, lock, listen)
    return _Packages(lock, environment, added)


def _wheels_of_any(lock: Lock, platform: str) -> Iterator[Path]:
    """Yield the wheels of a lock that no index has, and that fit another platform as well."""
    for name, place in wheels.kept(lock).items():
        if tags.rank(name, lock.python, platform) < tags.NEVER:
            yield place


def _tell_difference(proven: Lock, lock: Lock, on_event: OnEvent) -> None:
    """Say which packages only one of two platforms needs; versions of both are the same."""
    there, here = ({package.name for package in each.packages} for each in (lock, proven))
    if there - here:
        names = ", ".join(sorted(there - here))
        text = f"needs {names} beside what was run: nothing proves these versions"
        on_event(Log(level="warning", text=text))
    if here - there:
        on_event(Log(text=f"does not need {', '.join(sorted(here - there))}"))


def _draft(plot: Plot, proven: Draft, packages: _Packages) -> Draft:
    """Return a draft in a folder of its own, with the files of the proven one but for its own."""
    root = plot.work / "root"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(proven.root, root, copy_function=_link)
    for name in _OWN:  # links, which writing would change in both places
        (root / name).unlink()
    contents.write({"pylock.toml": packages.lock.text.encode()}, root)
    return dataclasses.replace(
        proven,
        root=root,
        lock=packages.lock,
        environment=packages.environment,
        added=packages.added,
    )


def _record(draft: Draft, base: Base, proven: Publication) -> Publication:
    """Write ``publication.json`` for another platform: it claims no run there."""
    was_run = proven.verified != "none"
    publication = msgspec.structs.replace(
        proven,
        platform=draft.lock.platform,
        lock_sha256=draft.lock.sha256,
        direct=assemble.direct_versions(draft),
        base=publications.Base(name=base.name, digest=base.digest),
        system_packages=draft.added.packages if draft.added else {},
        verified="elsewhere" if was_run else "none",
        run_on=proven.platform if was_run else msgspec.UNSET,
    )
    contents.write({publications.FILE_NAME: publications.encode(publication)}, draft.root)
    return publication


def _modules(proven: Proven, draft: Draft) -> Iterator[str]:
    """Yield the modules that were imported in the proven environment, where they are there."""
    before = proven.draft
    places = (
        (f"{before.environment.site_packages}/", draft.environment.site_packages),
        (f"{before.root}/", draft.root),
    )
    for module in proven.modules:
        for old, new in places:
            if module.startswith(old) and (new / module.removeprefix(old)).is_file():
                yield str(new / module.removeprefix(old))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def _about(platform: str) -> Iterator[None]:
    """Say of each problem which platform's image it is about."""
    try:
        yield
    except MlopsError as error:
        error.problems = [
            msgspec.structs.replace(
                each, where=f"{platform}, {each.where}" if each.where else platform
            )
            for each in error.problems
        ]
        raise


def _told_of(platform: str, on_event: OnEvent) -> OnEvent:
    """Return a listener that says of each line which platform's image it is about."""

    def listen(event: Event) -> None:
        if isinstance(event, Log):
            event = msgspec.structs.replace(event, text=f"{platform}: {event.text}")
        on_event(event)

    return listen
