"""From imported modules to distributions: the kernel's own metadata first, then pipreqs' map."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from jupyter_mlops import settings
from jupyter_mlops.environment import uv
from jupyter_mlops.environment.imports import Import
from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.environment.models import Dependency
from jupyter_mlops.errors import Problem

# pipreqs cannot be a dependency (it pins an old IPython), so its table of 1 157 names is
# taken from its wheel when a module is not installed; the hash keeps it the one we know.
PIPREQS = (
    "pipreqs==0.5.0 --hash=sha256:0809f6217028e35785f80e90217e18043e58c99ba28175e28320f9074dd03874"
)


@dataclass(frozen=True)
class Resolved:
    """The notebook's own dependencies, and what could not be resolved."""

    dependencies: list[Dependency]
    problems: list[Problem] = field(default_factory=list)


def resolve(modules: list[Import], interpreter: Interpreter) -> Resolved:
    """Name the distribution of every imported module.

    Modules of the standard library are dropped; so are absent ones that the notebook imports
    under ``except ImportError``. A module that nothing provides is a problem, never a guess.
    """
    used: dict[str, Dependency] = {}
    problems: list[Problem] = []
    for item in modules:
        top = item.module.split(".")[0]
        if top in interpreter.stdlib or top == "__future__":
            continue
        owners = interpreter.owners.get(item.module, [])
        if len(owners) > 1:
            owners = _narrow(owners, top)
        if len(owners) == 1:
            _use(used, owners[0], interpreter.versions[owners[0]], item, "kernel")
            problems += _origin_problems(owners[0], item, interpreter)
        elif owners:
            problems.append(_ambiguous(item, owners))
        elif not item.guarded:
            name = _mapped(top)
            if name:
                _use(used, name, "", item, "mapping")
            else:
                problems.append(_unknown(item))
    ordered = sorted(used.values(), key=lambda dependency: dependency.name.lower())
    return Resolved(ordered, _unique(problems))


def _narrow(owners: list[str], top: str) -> list[str]:
    """Prefer the distribution named like the module over ones that add files to it."""
    same = [owner for owner in owners if owner.lower().replace("-", "_") == top.lower()]
    return same or owners


def _use(used: dict[str, Dependency], name: str, version: str, item: Import, source: str) -> None:
    known = used.get(name)
    top = item.module.split(".")[0]
    used[name] = Dependency(
        name=name,
        version=version,
        modules=sorted({top, *(known.modules if known else [])}),
        cells=sorted({*item.cells, *(known.cells if known else [])}),
        source="mapping" if source == "mapping" else "kernel",
    )


def _origin_problems(name: str, item: Import, interpreter: Interpreter) -> list[Problem]:
    origin = interpreter.origins.get(name)
    if not origin:
        return []
    kinds = {"editable": "in editable mode", "vcs": "from a version control system"}
    return [
        Problem(
            problem=f"'{name}' was installed {kinds.get(origin, 'from a local file')}",
            why="The index may not have these very files, so the lock could not repeat them",
            remedy=f"Install a released version ({name} from the index), or put its code "
            "beside the notebook",
            where=item.where,
        )
    ]


def _ambiguous(item: Import, owners: list[str]) -> Problem:
    return Problem(
        problem=f"The module '{item.module}' belongs to several installed distributions",
        why=f"All of these hold it: {', '.join(owners)}",
        remedy="Uninstall the ones that are not needed, and start the kernel again",
        where=item.where,
    )


def _unknown(item: Import) -> Problem:
    return Problem(
        problem=f"No distribution provides the module '{item.module.split('.')[0]}'",
        why="It is not installed in the notebook's kernel, and no known package has it",
        remedy="Install it in that kernel, put its file beside the notebook, or remove the import",
        where=item.where,
    )


def _unique(problems: list[Problem]) -> list[Problem]:
    return list({problem.sentence(): problem for problem in problems}.values())


def _mapped(module: str) -> str:
    return _mapping().get(module, "")


def _mapping() -> dict[str, str]:
    """Return pipreqs' table of module → distribution, fetched once; empty when it cannot be."""
    folder = settings.home() / "pipreqs-0.5.0"
    file = folder / "pipreqs" / "mapping"
    if not file.is_file() and not _fetch(folder):
        return {}
    pairs = (line.strip().split(":") for line in file.read_text(encoding="utf-8").splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _fetch(folder: Path) -> bool:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        try:
            uv.run(
                *("pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
                *("--target", str(folder), "-r", "-"),
                stdin=PIPREQS,
            )
        except uv.Failed:
            return False
    return True
