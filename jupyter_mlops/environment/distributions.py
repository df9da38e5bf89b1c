"""From imported modules to distributions: what the kernel has, then tables, then a question."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from msgspec.structs import replace

from jupyter_mlops.environment import names
from jupyter_mlops.environment.imports import Import
from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.environment.models import Dependency, Question, Requirement
from jupyter_mlops.environment.names import normal
from jupyter_mlops.errors import Problem

Origin = Literal["kernel", "mapping", "requirements", "user"]


@dataclass(frozen=True)
class Resolved:
    """The notebook's own dependencies, what is asked back, and what could not be resolved.

    ``problems`` stop a publish, ``warnings`` are told.
    """

    dependencies: list[Dependency]
    problems: list[Problem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def resolve(
    modules: Sequence[Import],
    interpreter: Interpreter,
    *,
    answers: Mapping[str, str] | None = None,
    asked: Sequence[Requirement] = (),
    ships_sources: bool = False,
) -> Resolved:
    """Name the distribution of every imported module.

    Modules of the standard library are dropped; so are absent ones that the notebook imports
    under ``except ImportError``. ``answers`` are a person's, by module; ``asked`` is what files
    and ``%pip`` lines ask for. A module that nothing provides for sure is a question, and a
    problem beside it; never a guess. What was installed from a project's folder or from version
    control is a problem, unless ``ships_sources`` says that a wheel will be made of it.
    """
    resolver = _Resolver(interpreter, answers or {}, asked, ships_sources)
    for item in modules:
        resolver.take(item)
    ordered = sorted(resolver.used.values(), key=lambda dependency: dependency.name.lower())
    return Resolved(
        ordered,
        _unique([*resolver.problems, *map(as_problem, resolver.questions.values())]),
        list(resolver.questions.values()),
        _unique(resolver.warnings),
    )


def as_problem(question: Question) -> Problem:
    """Return a question as the problem that it is for who cannot be asked."""
    where = "cell " + ", ".join(map(str, question.cells)) if question.cells else ""
    if question.candidates:
        names = ", ".join(question.candidates)
        first = f"--answer {question.module}={question.candidates[0]}"
        remedy = f"Say which one is meant ({first}, or in the panel): {names}"
    else:
        remedy = "Install it in that kernel, put its file beside the notebook, or remove the import"
    return Problem(
        problem=f"It is not known which distribution provides the module '{question.module}'",
        why=question.why,
        remedy=remedy,
        where=where,
    )


class _Resolver:
    """Takes imports one by one; gathers dependencies, questions, problems and warnings."""

    def __init__(
        self,
        interpreter: Interpreter,
        answers: Mapping[str, str],
        asked: Sequence[Requirement],
        ships_sources: bool,
    ) -> None:
        self.used: dict[str, Dependency] = {}
        self.questions: dict[str, Question] = {}
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._kernel = interpreter
        self._answers = answers
        self._asked = {normal(each.name): each for each in asked if each.name}
        self._ships = ships_sources

    def take(self, item: Import) -> None:
        """Resolve one import."""
        modules = (item.module, *item.alternatives)
        if any(self._is_standard(module) for module in modules):
            return
        missing = [each for each in item.unless if not self._kernel.has(each.rstrip("?"))]
        if item.unless and not missing:
            if all(self._is_whole(each) for each in item.unless):
                return  # it is imported instead of what is there
            item = dataclasses.replace(item, guarded=True)
        module = next((each for each in modules if self._kernel.has(each)), item.module)
        answer = self._answer(module)
        if answer:
            self._use(answer, item, module, "user")
            return
        owners = self._kernel.holders(module)
        if len(owners) > 1:
            owners = _narrow(owners, module.partition(".")[0])
        if len(owners) == 1:
            self._use(owners[0], item, module, "kernel")
        elif owners:
            why = f"All of these are installed and hold it: {', '.join(owners)}"
            self._ask(item, module, owners, why)
        elif module.partition(".")[0] in self._kernel.loose:
            self._loose(item, module)
        elif not (item.guarded or item.weak):
            self._absent(item, module)

    def _is_standard(self, module: str) -> bool:
        top = module.partition(".")[0]
        return top in self._kernel.stdlib or top == "__future__"

    def _is_whole(self, tried: str) -> bool:
        """Tell whether importing what is there cannot fail: a module, no part of one."""
        if not tried.endswith("?"):
            return True
        module = tried.rstrip("?")
        if module.partition(".")[0] not in sys.stdlib_module_names:
            return False
        try:
            return self._is_standard(module) and importlib.util.find_spec(module) is not None
        except (ImportError, ValueError):
            return False

    def _answer(self, module: str) -> str:
        """Return what a person said of a module, or of what it is in."""
        parts = module.split(".")
        prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        return next((self._answers[p] for p in prefixes if self._answers.get(p)), "")

    def _use(self, name: str, item: Import, module: str, source: Origin, said: str = "") -> None:
        installed = self._kernel.installed(name)
        name = installed or name
        known = self.used.get(normal(name))
        version = self._kernel.versions.get(installed, "")
        origin = self._kernel.sources.get(installed)
        top = module.partition(".")[0]
        why = item.why + said
        if known is not None and (item.how or not known.why or known.modules[0] in known.why):
            why = known.why or why
        self.used[normal(name)] = Dependency(
            name=name,
            version=version,
            modules=sorted({top, *(known.modules if known else [])}),
            cells=sorted({*item.cells, *(known.cells if known else [])}),
            source=known.source if known else source,
            why=why,
            url=origin.requirement if origin else "",
        )
        if installed in self._kernel.origins:
            self.problems += self._origin_problems(installed, item)
        for note in self._kernel.notes.get(installed, ()):
            self.warnings.append(_broken(installed, note, item))

    def _origin_problems(self, name: str, item: Import) -> list[Problem]:
        """Return why what was installed from no index cannot be shipped."""
        kinds = {"editable": "in editable mode", "vcs": "from a version control system"}
        how = kinds.get(self._kernel.origins[name], "from a local file")
        source = self._kernel.sources.get(name)
        if not self._ships or source is None:
            return [
                Problem(
                    problem=f"'{name}' was installed {how}",
                    why="The index may not have these very files, so the lock could not repeat "
                    "them",
                    remedy=f"Install a released version ({name} from the index), or put its code "
                    "beside the notebook",
                    where=item.where,
                )
            ]
        if not source.url.startswith("file://"):
            return []
        path = Path(unquote(source.url.removeprefix("file://"))) / source.subdirectory
        ready = path.is_file() or any((path / f).is_file() for f in ("pyproject.toml", "setup.py"))
        if ready:
            return []
        return [
            Problem(
                problem=f"'{name}' was installed from {path}, of which no wheel can be made",
                why="There is no pyproject.toml or setup.py" if path.exists() else "It is gone",
                remedy=f"Install {name} again from where its code is now, or from an index",
                where=item.where,
            )
        ]

    def _loose(self, item: Import, module: str) -> None:
        """Resolve a module that can be imported, but that no installed distribution lists."""
        top = module.partition(".")[0]
        known, _ = names.providers(module)
        conda = self._kernel.conda.get(top)
        if conda:
            name = names.of_conda(conda[0])
            if name:
                self._use(name, item, module, "kernel")
                used = self.used[normal(name)]
                self.used[normal(name)] = replace(used, version=used.version or conda[1])
                return
        installed = [n for n in (*known, top) if self._kernel.installed(n)]
        if installed:
            self._use(installed[0], item, module, "kernel")
            self.warnings.append(_unlisted(module, self._kernel.installed(installed[0]), item))
            return
        folder = self._kernel.loose[top]
        if item.guarded or item.weak:
            return
        why = f"It is in {folder}, and no installed distribution lists it"
        self._ask(item, module, list(known), why)

    def _absent(self, item: Import, module: str) -> None:
        """Resolve a module that the kernel does not have."""
        top = module.partition(".")[0]
        hosted = next((h for h in names.HOSTED if f"{module}.".startswith(f"{h}.")), "")
        if hosted:
            if not item.conditional:
                self.problems.append(_hosted(hosted, item))
            return
        if top in names.REMOVED:
            self.problems.append(_removed(top, item, self._kernel.minor))
            return
        known, sure = names.providers(module)
        wanted = next((n for n in (top, *known) if normal(n) in self._asked), "")
        if wanted:
            requirement = self._asked[normal(wanted)]
            said = f", and {requirement.where} asks for {requirement.name}"
            self._use(requirement.name, item, module, "requirements", said)
            self.warnings.append(_not_installed(module, requirement.name, requirement.where, item))
        elif known and sure:
            self._use(known[0], item, module, "mapping", "; it is not installed in the kernel")
            self.warnings.append(_not_installed(module, known[0], "a table of names", item))
        else:
            why = "It is not installed in the notebook's kernel"
            why += (
                ""
                if known
                else ", and no table knows it; what has this name in an index may be "
                "somebody else's"
            )
            self._ask(item, module, list(known) or names.similar(module), why)

    def _ask(self, item: Import, module: str, candidates: Sequence[str], why: str) -> None:
        top = module.partition(".")[0]
        shared = top in names.NAMESPACES or top in self._kernel.namespaces
        key = module if shared else top
        known = self.questions.get(key)
        self.questions[key] = Question(
            module=key,
            candidates=list(dict.fromkeys([*(known.candidates if known else ()), *candidates])),
            cells=sorted({*item.cells, *(known.cells if known else [])}),
            why=why,
        )


def _narrow(owners: list[str], top: str) -> list[str]:
    """Prefer the distribution named like the module over ones that add files to it."""
    same = [owner for owner in owners if normal(owner) == normal(top)]
    return same or owners


def _not_installed(module: str, name: str, by: str, item: Import) -> Problem:
    return Problem(
        problem=f"'{module.partition('.')[0]}' is not installed in the notebook's kernel; "
        f"{name} is taken for it",
        why=f"So says {by}. The newest version that fits is locked, as there is none to repeat",
        remedy=f"Install {name} in the kernel and run the notebook, or name another distribution",
        where=item.where,
    )


def _unlisted(module: str, name: str, item: Import) -> Problem:
    return Problem(
        problem=f"'{name}' is taken for the module '{module}' by its name only",
        why="Its installed metadata does not list its files",
        remedy=f"Install {name} again if another distribution is meant",
        where=item.where,
    )


def _broken(name: str, note: str, item: Import) -> Problem:
    return Problem(
        problem=f"The installed metadata of '{name}' is broken",
        why=note[:1].upper() + note[1:],
        remedy=f"Install {name} again in the kernel's environment",
        where=item.where,
    )


def _hosted(module: str, item: Import) -> Problem:
    return Problem(
        problem=f"The module '{module}' exists in {names.HOSTED[module]} only",
        why="No index has it, so nothing can be locked for it",
        remedy="Import it under try/except ImportError, or take that code out",
        where=item.where,
    )


def _removed(module: str, item: Import, python: str) -> Problem:
    last = names.REMOVED[module]
    return Problem(
        problem=f"The module '{module}' is no part of Python {python}",
        why=f"Python {last} was the last one that had it",
        remedy=f"Use what replaces it, or a kernel with Python {last}",
        where=item.where,
    )


def _unique(problems: Sequence[Problem]) -> list[Problem]:
    return list({problem.sentence(): problem for problem in problems}.values())
