"""What a star import of a module beside the notebook binds, read from its text: nothing is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jupyter_mlops.parsed import tree_of

#: What may bind names that no statement shows.
HIDDEN = frozenset({"globals", "locals", "vars", "exec", "eval", "setattr", "delattr"})

#: Names, each with the dotted path of what it is bound to.
Names = Mapping[str, str]
#: Returns what the star import of another module binds, ``None`` where that is not known.
Others = Callable[[str], Names | None]


class NotTold(Exception):
    """The text does not tell what the module binds; says why."""


def path_of(folder: Path, module: str) -> Path | None:
    """Return the file of a module that stands in a folder, ``None`` where it does not."""
    base = folder.joinpath(*module.split("."))
    found = [path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()]
    return found[0] if found else None


def star_names(folder: Path, module: str, others: Others) -> Names:
    """Return what ``from module import *`` binds, with the path of each thing.

    Raises ``NotTold`` where the text does not say for sure.
    """
    path = path_of(folder, module)
    if path is None:
        raise NotTold("there is no such file")
    if module.partition(".")[0] in sys.stdlib_module_names:
        raise NotTold("it has the name of a module of Python itself")
    try:
        tree = tree_of(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotTold(f"it cannot be read: {error}") from None
    _refuse_hidden(tree)
    is_package = path.name == "__init__.py"
    found = _Bindings(module, is_package, others)
    found.body(tree.body)
    listed = _listed(tree)
    if listed is not None:
        return {name: found.known.get(name, f"{module}.{name}") for name in listed}
    unsure = found.unsure | {n for node in ast.walk(tree) for n in _globals(node)}
    if is_package:  # a submodule is bound by whoever imports it
        unsure |= {each.stem for each in path.parent.glob("*.py")} - {"__init__"}
        unsure |= {each.parent.name for each in path.parent.glob("*/__init__.py")}
    doubtful = sorted(name for name in unsure - set(found.known) if name[:1] != "_")
    if doubtful:
        raise NotTold(f"it may bind {doubtful[0]}, or not")
    return {name: home for name, home in found.known.items() if name[:1] != "_"}


def _refuse_hidden(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in HIDDEN:
                raise NotTold(f"it calls {node.func.id}()")
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "sys.modules":
            raise NotTold("it looks into sys.modules")


def _globals(node: ast.AST) -> Sequence[str]:
    return node.names if isinstance(node, ast.Global) else ()


def _listed(tree: ast.Module) -> list[str] | None:
    """Return ``__all__``, ``None`` where there is none."""
    mentions = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "__all__"]
    if not mentions:
        return None
    found: list[str] = []
    understood = 0
    for statement in tree.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if statement.value is None or not any(
            isinstance(each, ast.Name) and each.id == "__all__" for each in targets
        ):
            continue
        try:
            names = ast.literal_eval(statement.value)
        except (ValueError, TypeError):
            break
        understood += 1
        found = [*found, *names] if isinstance(statement, ast.AugAssign) else list(names)
    if understood != len(mentions) or not all(isinstance(name, str) for name in found):
        raise NotTold("its __all__ is computed")
    return found


class _Bindings:
    """Which names statements bind for sure, with what, and which they may bind."""

    def __init__(self, module: str, is_package: bool, others: Others) -> None:
        self.known: dict[str, str] = {}
        self.unsure: set[str] = set()
        self._module = module
        self._package = module if is_package else module.rpartition(".")[0]
        self._others = others

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """Take in statements that are executed in order."""
        for statement in statements:
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.partition(".")[0]
                self.known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(statement, ast.ImportFrom):
            self._import_from(statement)
        elif isinstance(statement, ast.Delete):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    self.known.pop(target.id, None)
        elif isinstance(statement, ast.If):
            self._if(statement)
        elif isinstance(statement, ast.Try):
            bodies = [[*statement.body, *statement.orelse], *(h.body for h in statement.handlers)]
            self._branches(bodies)
            self.body(statement.finalbody)
        elif isinstance(statement, ast.For | ast.While | ast.With | ast.Match):
            self.unsure |= _bound(statement)  # a with may suppress what its body raises
        else:
            self._own(statement)

    def _own(self, node: ast.AST) -> None:
        for name in _bound(node):
            self.known[name] = f"{self._module}.{name}"

    def _import_from(self, statement: ast.ImportFrom) -> None:
        source = self._source(statement)
        for alias in statement.names:
            if alias.name != "*":
                self.known[alias.asname or alias.name] = f"{source}.{alias.name}"
                continue
            names = self._others(source)
            if names is None:
                raise NotTold(f"what its star import of {source} binds is not known")
            self.known.update(names)

    def _source(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        parts = self._package.split(".") if self._package else []
        kept = parts[: len(parts) - statement.level + 1]
        return ".".join([*kept, *([statement.module] if statement.module else [])])

    def _if(self, statement: ast.If) -> None:
        self._own(statement.test)
        test = ast.unparse(statement.test)
        if test.startswith("__name__ ==") or test in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            self.body(statement.orelse)  # not so when it is imported
        else:
            self._branches([statement.body, statement.orelse])

    def _branches(self, bodies: Sequence[Sequence[ast.stmt]]) -> None:
        """Take in bodies of which one is executed: what all of them bind is bound."""
        before, every = self.known, []
        for statements in bodies:
            self.known = dict(before)
            self.body(statements)
            every.append(self.known)
        sure = set.intersection(*(set(each) for each in every))
        self.unsure |= set().union(*every) - sure
        self.known = {
            name: home
            if all(each[name] == home for each in every)
            else f"{self._module}.{name}"  # one thing or another
            for name, home in every[0].items()
            if name in sure
        }


def _bound(code: ast.AST) -> set[str]:
    """Return the names that a statement or expression binds in its own scope."""
    found: set[str] = set()
    waiting: list[ast.AST] = [code]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        elif isinstance(node, ast.Lambda) or (isinstance(node, ast.AnnAssign) and not node.value):
            continue
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {a.asname or a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            found |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
            continue
        waiting.extend(ast.iter_child_nodes(node))
    return found
