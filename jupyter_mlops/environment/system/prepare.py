"""What a publish does about system packages: look, tell or refuse, and make their layer."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from jupyter_mlops import events
from jupyter_mlops.environment.models import SystemNeed
from jupyter_mlops.environment.system.layer import Added, add
from jupyter_mlops.environment.system.lookup import look_up
from jupyter_mlops.environment.system.needs import Mode, needs, settle
from jupyter_mlops.errors import ImageError, MlopsError
from jupyter_mlops.image.apt import architecture_of
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.installed import Installed, read_installed

#: glibc's own libraries: no wheel for Linux runs where they are not.
_GLIBC = frozenset(
    """
    libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libresolv.so.2
    libmvec.so.1 libanl.so.1
    """.split()
)
#: What the images of Python that are chosen by themselves have beside them.
_USUAL = frozenset("libgcc_s.so.1 libstdc++.so.6 libz.so.1".split())
_CHOSEN = re.compile(r"(.*/)?python:\d+\.\d+-slim|system-packages:.*")
_COREUTILS = frozenset(
    """
    sh cat cp mv rm ls mkdir rmdir touch head tail wc sort uniq cut tr tee date pwd basename
    dirname seq sleep uname whoami env du df ln chmod stat md5sum sha256sum printenv test expr
    """.split()
)

Cells = Sequence[tuple[int, str, ast.Module]]


def find(
    cells: Cells,
    site_packages: Path,
    base: Base,
    *,
    platform: str,
    store: Path,
    loaded: Collection[str] | None = None,
    on_event: events.OnEvent = events.ignore,
) -> tuple[list[SystemNeed], Installed]:
    """Return what the image lacks, and what its base has.

    A base is read only where something is needed that not every base has. Raises MlopsError
    where its layers cannot be read.
    """
    usual = Installed(
        libraries=_GLIBC | (_USUAL if _CHOSEN.fullmatch(base.name) else frozenset()),
        programs=_COREUTILS,
    )
    if not needs(site_packages, usual, cells, python=base.python, loaded=loaded):
        return [], usual
    installed = read_installed(base, store, on_event)
    found = needs(
        site_packages,
        installed,
        cells,
        python=base.python,
        loaded=loaded,
        look_up=lambda names: look_up(
            names,
            installed,
            name=base.name,
            architecture=architecture_of(platform),
            store=store,
        ),
    )
    return found, installed


def prepare(
    cells: Cells,
    site_packages: Path,
    base: Base,
    mode: Mode,
    *,
    platform: str,
    store: Path,
    on_event: events.OnEvent = events.ignore,
) -> Added | None:
    """Return the layer of system packages that the image gets, or none.

    ``cells`` are (number, source, tree). With ``none`` nothing is looked at; with ``ask`` what is
    missing raises ImageError, all of it at once; with ``auto`` it is added.
    """
    if mode == "none":
        return None
    try:
        found, installed = find(
            cells, site_packages, base, platform=platform, store=store, on_event=on_event
        )
    except MlopsError as error:
        text = f"Whether {base.name} has the libraries and programs needed is not known. {error}"
        on_event(events.Log(text=text, level="warning"))
        return None
    settled = settle(found, mode, base.name, installed.is_debian)
    for note in settled.notes:
        on_event(events.Log(text=note, level="warning"))
    if settled.problems:
        raise ImageError.collect(settled.problems)
    if not settled.add:
        return None
    return add(settled.add, base, installed, platform=platform, store=store, on_event=on_event)
