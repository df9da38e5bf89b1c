"""Which statements may stand at the top of a module instead of in a step."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.export.statements import Body, Statement
from jupyter_mlops.pipeline.names import BUILTINS
from jupyter_mlops.pipeline.phases import is_literal

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: Hidden state that an import may depend on.
_BEFORE_IMPORT = frozenset({"<sys.path>", "<environ>", "<cwd>", "<files>"})
_CLASS_CALLS = frozenset({"field", "dataclasses.field", "auto", "enum.auto", "Path", "property"})


@dataclass
class Hoisted:
    """What goes to the top, in order; ``taken`` are positions in the cells by cell number."""

    imports: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    taken: dict[int, set[int]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)


def hoist(bodies: Sequence[Body], flow: Dataflow, parameters: frozenset[str]) -> Hoisted:
    """Choose the imports, constants and definitions that mean the same at the top.

    ``reasons`` says what has to stay where it is although a step's function cannot hold it.
    """
    binders: dict[str, list[Statement]] = {}
    for body in bodies:
        for statement in body.statements:
            for name in statement.binds:
                binders.setdefault(name, []).append(statement)
    return _Choice(bodies, flow, parameters, binders).made()


class _Choice:
    def __init__(
        self,
        bodies: Sequence[Body],
        flow: Dataflow,
        parameters: frozenset[str],
        binders: Mapping[str, list[Statement]],
    ) -> None:
        self._bodies = bodies
        self._flow = flow
        self._parameters = parameters
        self._binders = binders
        self._result = Hoisted()

    def made(self) -> Hoisted:
        imports, constants, definitions = self._candidates()
        names = {name for each in (*imports, *constants, *definitions) for name in each.binds}
        known = set(self._binders) | self._parameters
        changed = True
        while changed:
            changed = False
            for each in list(definitions):
                if (each.needs & known) - names - each.binds:
                    definitions.remove(each)
                    names -= each.binds
                    changed = True
        used = {name for each in definitions for name in each.needs}
        constants = [c for c in constants if c.binds & used or all(n.isupper() for n in c.binds)]
        self._take(imports, constants, definitions)
        return self._result

    def _candidates(self) -> tuple[list[Statement], list[Statement], list[Statement]]:
        imports: list[Statement] = []
        constants: list[Statement] = []
        definitions: list[Statement] = []
        disturbed = False
        for body in self._bodies:
            for statement in body.statements:
                node = statement.node
                if isinstance(node, ast.Import | ast.ImportFrom):
                    self._import(statement, disturbed, imports)
                elif isinstance(node, DEFINITIONS) and self._is_only(statement) and _is_calm(node):
                    definitions.append(statement)
                elif self._is_constant(statement):
                    constants.append(statement)
                elif not isinstance(node, DEFINITIONS):
                    disturbed = disturbed or self._disturbs(body.cell)
        return imports, constants, definitions

    def _import(self, statement: Statement, disturbed: bool, imports: list[Statement]) -> None:
        node = statement.node
        assert isinstance(node, ast.Import | ast.ImportFrom)
        line = ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            self._result.reasons.append(f"cell {statement.cell} has '{line}'")
        elif disturbed and not _is_standard(node):
            why = f"what cell {statement.cell} imports may depend on what is set before"
            self._result.reasons.append(why)
        elif not all(self._same_imports(name) for name in statement.binds):
            names = ", ".join(sorted(statement.binds))
            self._result.reasons.append(f"'{names}' is imported, and bound to something else too")
        else:
            imports.append(statement)

    def _same_imports(self, name: str) -> bool:
        return len({_origin(each.node, name) for each in self._binders[name]}) == 1

    def _disturbs(self, cell: int) -> bool:
        flow = self._flow.flow(cell)
        keys = {*flow.touches, *flow.sets}
        return (
            bool(keys & _BEFORE_IMPORT)
            or any(key.startswith("<module:") for key in keys)
            or any(path == "*" or path.endswith(".py") for path in flow.files_out)
        )

    def _is_only(self, statement: Statement) -> bool:
        return all(len(self._binders[name]) == 1 for name in statement.binds)

    def _is_constant(self, statement: Statement) -> bool:
        node = statement.node
        return (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and not statement.binds & self._parameters
            and self._is_only(statement)
            and is_literal(node.value)
            and not any(
                isinstance(each, ast.List | ast.Dict | ast.Set) for each in ast.walk(node.value)
            )
        )

    def _take(
        self,
        imports: Sequence[Statement],
        constants: Sequence[Statement],
        definitions: Sequence[Statement],
    ) -> None:
        result = self._result
        result.imports = _sorted_imports(imports)
        result.constants = [each.text for each in constants]
        result.definitions = [each.text for each in definitions]
        chosen = {id(each) for each in (*imports, *constants, *definitions)}
        for body in self._bodies:
            taken = {i for i, each in enumerate(body.statements) if id(each) in chosen}
            result.taken[body.cell] = taken
            result.names |= {name for i in taken for name in body.statements[i].binds}


def _origin(node: ast.stmt, name: str) -> str:
    """Return what an import binds a name to; another statement is an origin of its own."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname == name:
                return alias.name
            if alias.asname is None and alias.name.partition(".")[0] == name:
                return name
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                return f"{'.' * node.level}{node.module or ''}.{alias.name}"
    return f"<{id(node)}>"


def _is_standard(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        modules = [node.module or ""] if not node.level else [""]
    else:
        modules = [alias.name for alias in node.names]
    return all(module.partition(".")[0] in sys.stdlib_module_names for module in modules)


def _sorted_imports(imports: Sequence[Statement]) -> list[str]:
    """Return each import once: from ``__future__`` first, then in the notebook's order."""
    lines: dict[str, bool] = {}
    for each in imports:
        node = each.node
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if isinstance(node, ast.Import):
            for alias in node.names:
                lines.setdefault(ast.unparse(ast.Import(names=[alias])), future)
        else:
            lines.setdefault(ast.unparse(node), future)
    return sorted(lines, key=lambda line: not lines[line])


def _is_calm(node: ast.stmt) -> bool:
    """Tell whether executing a definition does no more than to define."""
    if isinstance(node, ast.ClassDef):
        return all(
            _is_calm(each)
            if isinstance(each, DEFINITIONS)
            else isinstance(each, ast.Assign | ast.AnnAssign | ast.Expr | ast.Pass)
            and not _calls(each)
            for each in node.body
        )
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    defaults = (*node.args.defaults, *filter(None, node.args.kw_defaults))
    return not any(_calls(each) for each in defaults)


def _calls(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Call) and ast.unparse(each.func) not in _CLASS_CALLS
        for each in ast.walk(node)
    )


def shadowed(bodies: Sequence[Body], parameters: set[str]) -> list[str]:
    """Return the built-in names that the notebook binds: in a function they would be missing."""
    names = {name for body in bodies for each in body.statements for name in each.binds}
    return sorted((names | parameters) & BUILTINS)
