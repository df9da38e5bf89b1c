"""What a notebook needs, with a reason for each: imports, lines that install, files beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from msgspec.structs import replace
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from jupyter_mlops import parsed
from jupyter_mlops.environment import answers as remembered
from jupyter_mlops.environment import distributions, imports, requirements
from jupyter_mlops.environment import requirement_lines as lines
from jupyter_mlops.environment.interpreter import Interpreter
from jupyter_mlops.environment.models import Dependency, Inferred, Requirement
from jupyter_mlops.environment.names import normal
from jupyter_mlops.environment.system import executables
from jupyter_mlops.errors import Problem
from jupyter_mlops.notebook import Notebook


def infer(
    notebook: Notebook,
    interpreter: Interpreter,
    *,
    answers: Mapping[str, str] | None = None,
) -> Inferred:
    """Return what a notebook needs, as its kernel and its text say; nothing of it is run.

    ``answers`` are a person's, module by module; they come before those that the notebook's
    metadata keep.
    """
    folder = notebook.path.parent
    cells = [(cell.number, cell.source, cell.tree) for cell in notebook.cells]
    found = imports.find(cells, folder, interpreter)
    asked = requirements.find(notebook)
    environment = _environment(interpreter)
    wanted = [
        _with_name(each, folder, interpreter)
        for each in asked.requirements
        if lines.applies(each, environment)
    ]
    resolved = distributions.resolve(
        found.modules,
        interpreter,
        answers={**remembered.of(notebook), **(answers or {})},
        asked=wanted,
        ships_sources=True,
    )
    used = {normal(each.name): each for each in resolved.dependencies}
    warnings = [*found.warnings, *resolved.warnings, *asked.warnings]
    _add(used, wanted, interpreter, warnings)
    _bound(used, wanted, warnings)
    warnings += _python(asked.python, interpreter)
    asked_back = {distributions.as_problem(question) for question in resolved.questions}
    return Inferred(
        dependencies=sorted(used.values(), key=lambda each: each.name.lower()),
        questions=resolved.questions,
        requirements=asked.requirements,
        local=found.local,
        problems=[*found.problems, *(p for p in resolved.problems if p not in asked_back)],
        warnings=list({warning.sentence(): warning for warning in warnings}.values()),
        executables=_executables(tuple((cell.number, cell.source) for cell in notebook.cells)),
    )


@lru_cache(maxsize=16)
def _executables(cells: tuple[tuple[int, str], ...]) -> list[tuple[str, int]]:
    return executables.find([(number, text, parsed.of(text)[1]) for number, text in cells])


def _add(
    used: dict[str, Dependency],
    wanted: Sequence[Requirement],
    interpreter: Interpreter,
    warnings: list[Problem],
) -> None:
    """Add what the notebook itself asks for, also where nothing imports it."""
    for each in wanted:
        if not each.adds:
            continue
        if not each.name:
            warnings.append(_nameless(each))
            continue
        name = normal(each.name)
        if name in used or name in lines.TOOLS or name == "jupyter-mlops":
            continue
        installed = interpreter.installed(each.name)
        source = interpreter.sources.get(installed)
        by = f"%pip install in cell {each.cell}" if each.where.startswith("cell") else each.where
        used[name] = Dependency(
            name=installed or each.name,
            version=interpreter.versions.get(installed, ""),
            modules=[],
            cells=[each.cell] if each.cell else [],
            source="requirements",
            why=by,
            url=source.requirement if source else "" if installed else each.url,
        )


def _bound(
    used: dict[str, Dependency], wanted: Sequence[Requirement], warnings: list[Problem]
) -> None:
    """Take over extras and bounds; tell where the kernel has what is not allowed."""
    for each in wanted:
        known = used.get(normal(each.name))
        if known is None:
            continue
        other = each.url.startswith("git+") and bool(known.version) and not known.url
        if other or lines.contradicts(each, known.version):
            warnings.append(_contradiction(each, known))
            specifier = known.specifier  # what ran is locked
        else:
            specifier = _joined(known.specifier, each.specifier)
        used[normal(each.name)] = replace(
            known,
            extras=sorted({*known.extras, *each.extras}),
            specifier=specifier,
            url=known.url if known.version or known.url else each.url,
        )


def _joined(*specifiers: str) -> str:
    try:
        return str(SpecifierSet(",".join(each for each in specifiers if each)))
    except InvalidSpecifier:
        return next((each for each in specifiers if each), "")


def _with_name(each: Requirement, folder: Path, interpreter: Interpreter) -> Requirement:
    """Return a requirement of a local project with the name that the project has."""
    if each.name:
        return each
    path = lines.path_of(each, folder)
    if path is None:
        return each
    for name, source in interpreter.sources.items():
        if unquote(source.url.removeprefix("file://")).rstrip("/") == str(path.resolve()):
            return replace(each, name=name, url=source.requirement)
    name = requirements.project_name(path / requirements.PROJECT)
    return replace(each, name=name, url=path.resolve().as_uri()) if name else each


def _environment(interpreter: Interpreter) -> dict[str, str]:
    """Return what markers ask of the kernel's Python."""
    return {
        "python_version": interpreter.minor,
        "python_full_version": interpreter.python,
        "sys_platform": interpreter.system.lower().replace("windows", "win32"),
        "platform_system": interpreter.system,
        "platform_machine": interpreter.machine,
    }


def _python(asked: str, interpreter: Interpreter) -> list[Problem]:
    try:
        if not asked or SpecifierSet(asked).contains(interpreter.python, prereleases=True):
            return []
    except InvalidSpecifier:
        return []
    return [
        Problem(
            problem=f"The notebook's files ask for Python {asked}, its kernel has "
            f"{interpreter.python}",
            why="The kernel's is taken, as it is what ran",
            remedy="Choose a kernel with that Python, or correct requires-python",
        )
    ]


def _contradiction(asked: Requirement, known: Dependency) -> Problem:
    wanted = f"{asked.name} from {asked.url}" if asked.url else f"{asked.name}{asked.specifier}"
    return Problem(
        problem=f"{wanted} is asked for, the kernel has {known.name} {known.version}",
        why="The kernel's version is locked, as it is what ran",
        remedy=f"Install {wanted} in the kernel and run the notebook again, "
        "or correct what is asked for",
        where=asked.where,
    )


def _nameless(asked: Requirement) -> Problem:
    return Problem(
        problem=f"It installs {asked.url}, and nothing there tells the distribution's name",
        why="Only what is installed in the kernel, or named, can be locked",
        remedy="Install it in the kernel, or name it: NAME @ ADDRESS",
        where=asked.where,
    )
