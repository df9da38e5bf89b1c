"""What a notebook imports, read from its text: every import, with the cells it stands in."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_mlops.environment import engines, local_code, sightings
from jupyter_mlops.environment.interpreter import Interpreter
from jupyter_mlops.environment.local_code import Local, Part
from jupyter_mlops.environment.sightings import Sighting
from jupyter_mlops.errors import Problem

OURS = "jupyter_mlops"


@dataclass
class Import:
    """A module (dotted name) with the cells that import it.

    ``guarded`` is true when every import of it may fail without harm (``try``/``except
    ImportError``), ``conditional`` when each stands under an ``if``; ``file`` is set when a
    local module beside the notebook imports it. ``how`` says what needs it where that is no
    import ("calls read_parquet()"). ``alternatives`` would do as well, in this order; a
    ``weak`` one counts only where it is installed. With ``unless``, it is imported only where
    one of these modules is missing.
    """

    module: str
    cells: list[int] = field(default_factory=list)
    guarded: bool = True
    file: str = ""
    how: str = ""
    alternatives: tuple[str, ...] = ()
    weak: bool = False
    conditional: bool = False
    unless: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Return the places of the import as a person names them."""
        if not self.cells:
            return self.file
        return "cell " + ", ".join(str(number) for number in sorted(self.cells))

    @property
    def why(self) -> str:
        """Return what needs the module, as a phrase: ``cell 3 imports skimage``."""
        if self.how:
            return f"cell {self.cells[0]} {self.how}" if self.cells else f"{self.file} {self.how}"
        verb, cells = ("imports", self.where) if len(self.cells) < 2 else ("import", self.where)
        return f"{cells.replace('cell', 'cells', len(self.cells) > 1)} {verb} {self.module}"


@dataclass(frozen=True)
class Imports:
    """Everything imported: from distributions, and local files (relative to the folder)."""

    modules: list[Import]
    local: list[Path]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def find(
    cells: Sequence[tuple[int, str, ast.Module]],
    folder: Path,
    interpreter: Interpreter | None = None,
) -> Imports:
    """Return what the cells (number, source, tree) import; local modules are followed.

    With an interpreter, only what its version of Python reaches counts, and a folder beside
    the notebook is taken for a package only where nothing installed has its name.
    """
    parts = [
        Part(seen, cell=number, tree=tree if at == 0 else None)
        for number, source, tree in cells
        for at, seen in enumerate(sightings.of_cell(source, tree))
    ]
    python = _version(interpreter)
    installed: Callable[[str], bool] = interpreter.has if interpreter else lambda module: False
    local = local_code.follow(parts, folder, installed)
    found = _Found(python)
    for sighting, part in local.outside:
        found.add(sighting, part)
    _add_engines(found, local)
    modules = [i for i in found.modules.values() if i.module.split(".")[0] != OURS]
    shadows = list(_shadows(local, interpreter))
    return Imports(
        modules,
        sorted(local.files),
        [*local.problems, *(problem for problem, stops in shadows if stops)],
        [*local_code.left_out(local), *(problem for problem, stops in shadows if not stops)],
    )


def _version(interpreter: Interpreter | None) -> tuple[int, ...] | None:
    if interpreter is None:
        return None
    digits = interpreter.minor.split(".")
    return tuple(int(part) for part in digits if part.isdigit())


class _Found:
    """Gathers sightings of the same module into one import."""

    def __init__(self, python: tuple[int, ...] | None) -> None:
        self.modules: dict[tuple[str, ...], Import] = {}
        self._python = python

    def add(
        self,
        sighting: Sighting,
        part: Part,
        alternatives: tuple[str, ...] = (),
        weak: bool = False,
    ) -> None:
        where = sighting.where
        if not where.holds(self._python):
            return
        key = (sighting.module, *alternatives, "?" if weak else "")
        item = self.modules.get(key)
        if item is None:
            item = self.modules[key] = Import(
                sighting.module,
                file=part.file,
                how=sighting.how,
                alternatives=alternatives,
                weak=weak,
                conditional=where.conditional,
                unless=where.unless,
            )
        item.guarded = item.guarded and where.guarded
        item.conditional = item.conditional and where.conditional
        item.unless = item.unless if where.unless else ()
        if not sighting.how:
            item.how = ""  # an import says more than a use
        if part.cell and part.cell not in item.cells:
            item.cells.append(part.cell)


def _add_engines(found: _Found, local: Local) -> None:
    """Add what libraries load by name, from what all code calls and imports."""
    imported = {item.module.partition(".")[0] for item in list(found.modules.values())}
    constants: dict[str, set[str]] = {}
    aliases: dict[str, str] = {}
    for part in local.parts:
        if part.cell:
            aliases |= part.seen.aliases
        for name, text in part.seen.constants.items():
            constants.setdefault(name, set()).add(text)
    for part in local.parts:
        names = aliases if part.cell else part.seen.aliases
        of_tree = part.tree is not None and sightings.of(part.tree) is part.seen
        uses = (
            engines.of_tree(part.tree)
            if of_tree and part.tree is not None
            else engines.candidates(part.seen.uses)
        )
        for use, shown, need in engines.needed(uses, names, frozenset(imported), constants):
            how = f"says {shown}" if shown.startswith("%") else f"calls {shown}"
            how = f"uses {shown}" if not use.called else how
            sighting = Sighting(need.modules[0], use.where, f"{how}, which needs it")
            found.add(sighting, part, need.modules[1:], need.weak)
    for sighting, part in local.outside:
        name, needs = engines.of_import(sighting.module)
        for need in needs:
            implied = Sighting(need.modules[0], sighting.where, f"imports {name}, which needs it")
            found.add(implied, part, need.modules[1:], need.weak)


def _shadows(local: Local, interpreter: Interpreter | None) -> Iterator[tuple[Problem, bool]]:
    """Yield a problem for each local module with the name of something else.

    With each whether it stops a publish: what a name of the standard library means depends on
    what was imported before, so nobody can tell; an installed distribution is hidden for sure.
    """
    if interpreter is None:
        return
    for top, part in local.tops.items():
        if top in interpreter.stdlib:
            problem = Problem(
                problem=f"The local module '{top}' has the name of a module of Python itself",
                why="Which of the two an import means depends on what was imported before",
                remedy=f"Rename it, and its imports: for example my_{top}",
                where=part.place,
            )
            yield problem, True
            continue
        owners = [
            name
            for name in interpreter.owners.get(top, [])
            if not _is_here(name, interpreter, local)
        ]
        if owners:
            problem = Problem(
                problem=f"The local module '{top}' hides the installed {' and '.join(owners)}",
                why="What lies beside the notebook is found first, also by other packages",
                remedy=f"Rename it if the installed one is meant, or uninstall {owners[0]}",
                where=part.place,
            )
            yield problem, False


def _is_here(name: str, interpreter: Interpreter, local: Local) -> bool:
    """Tell whether a distribution is the very project that the notebook stands in."""
    source = interpreter.sources.get(name)
    if source is None or not source.url.startswith("file://"):
        return False
    return local.folder.resolve().is_relative_to(Path(source.url.removeprefix("file://")).resolve())
