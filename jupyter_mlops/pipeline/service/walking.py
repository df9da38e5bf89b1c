"""From what a notebook gives to its model back to the rows that it is made of."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from jupyter_mlops.pipeline.names import bound
from jupyter_mlops.pipeline.service import words
from jupyter_mlops.pipeline.service.asking import Ask
from jupyter_mlops.pipeline.service.carrying import Statement, called, changed
from jupyter_mlops.pipeline.service.rewriting import (
    Learned,
    Made,
    rewritten,
    rewritten_expression,
)

#: Stands for a call that gives each of its arguments back.
_EACH = "="


@dataclass(frozen=True)
class Line:
    """A statement of the service and the one of the notebook that it is made of."""

    node: ast.stmt
    statement: Statement
    plain: bool


@dataclass(frozen=True)
class Cut:
    """A place where the service can begin: with the rows of ``root`` after a statement."""

    root: str
    at: int
    lines: list[Line]
    argument: ast.expr
    side: set[str]
    chose: bool
    relabeled: bool

    @property
    def plain(self) -> bool:
        """Tell whether nothing is done to the rows but to take columns."""
        return all(line.plain for line in self.lines)


@dataclass
class _Walk:
    statements: Sequence[Statement]
    functions: Mapping[str, ast.FunctionDef]
    fits: Mapping[str, int]
    target: Set[str]
    learned: Learned
    wanted: set[str] = field(default_factory=set)
    side: set[str] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)
    chose: bool = False
    relabeled: bool = False


def cuts(
    statements: Sequence[Statement],
    ask: Ask,
    target: Set[str],
    learned: Learned,
    fits: Mapping[str, int],
) -> list[Cut]:
    """Return where a service can begin that gives this to the model, the rawest rows last."""
    functions = {s.node.name: s.node for s in statements if isinstance(s.node, ast.FunctionDef)}
    walk = _Walk(statements, functions, fits, target, learned)
    last = statements[ask.at]
    argument, made = rewritten_expression(ask.argument, last, learned, fits)
    if not made.rows:
        return []
    _take(walk, made)
    own = [] if made.plain else [Line(ast.Expr(argument), last, plain=False)]
    found: list[Cut] = []
    for at in range(ask.at - 1, -1, -1):
        statement = statements[at]
        touched = (bound(statement.node) | changed(statement.node, functions)) & walk.wanted
        if not touched:
            continue
        if len(walk.wanted) == 1:
            lines = [*reversed(walk.lines)]
            cut = Cut(
                next(iter(walk.wanted)), at, lines + own, argument, set(walk.side),
                walk.chose, walk.relabeled,
            )  # fmt: skip
            found.append(cut)
        if not _back(walk, statement, touched) or not walk.wanted:
            break
    return found


def _take(walk: _Walk, made: Made) -> None:
    walk.wanted |= made.rows
    walk.side |= made.side
    walk.chose |= made.chose
    walk.relabeled |= made.relabeled


def _back(walk: _Walk, statement: Statement, touched: set[str]) -> bool:
    """Go behind a statement; False where its rows come from elsewhere."""
    node = statement.node
    parts = _split(node, touched)
    if parts is not None:
        walk.chose |= isinstance(getattr(node, "value", None), ast.Call)
        walk.wanted -= touched
        for name, part in sorted(parts.items()):
            value, made = rewritten_expression(part, statement, walk.learned, walk.fits)
            _take(walk, made)
            if not (isinstance(value, ast.Name) and value.id == name):
                alias = ast.Assign([ast.Name(name, ast.Store())], value)
                line = Line(ast.fix_missing_locations(alias), statement, made.plain)
                walk.lines.append(line)
        return True
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return False
    dropped = _drops(node)
    if dropped is not None:
        name, column = dropped
        text = f"{name} = {name}.drop(columns=[{column!r}], errors='ignore')"
        walk.lines.append(Line(ast.parse(text).body[0], statement, plain=True))
        return touched == {name}
    if _is_target(node, walk.target):
        return True
    made = rewritten(statement, walk.learned, walk.target, walk.fits, touched)
    if made.node is None:
        source = _identity(statement)
        walk.chose, walk.relabeled = walk.chose or made.chose, walk.relabeled or made.relabeled
        return source
    whole = bound(node) & touched if isinstance(node, ast.Assign | ast.AnnAssign) else set()
    walk.wanted -= whole
    if whole and not made.rows:
        return False  # a source: the rows begin here
    _take(walk, made)
    walk.lines.append(Line(made.node, statement, made.plain))
    return True


def _identity(statement: Statement) -> bool:
    """Tell whether what was left out of a service leaves its rows as they are."""
    return isinstance(statement.node, ast.Assign | ast.Expr | ast.For | ast.AnnAssign)


def _split(node: ast.stmt, touched: Set[str]) -> dict[str, ast.expr] | None:
    """Return, for names that are parts of others (``train_test_split``), what they are parts of."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Call(args=given) as call):
            name = called(call)
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=given)):
            name = _EACH
        case _:
            return None
    if name == "train_test_split":
        each = 2
    elif name in words.SHUFFLES or name in words.RESAMPLES or name == _EACH:
        each = 1
    else:
        return None
    found = {
        target.id: given[number // each]
        for number, target in enumerate(targets)
        if isinstance(target, ast.Name) and target.id in touched and number // each < len(given)
    }
    return found if found.keys() == touched else None


def _drops(node: ast.stmt) -> tuple[str, str] | None:
    """Return the table and column of ``y = df.pop("y")`` and ``del df["y"]``."""
    match node:
        case (
            ast.Assign(value=ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="pop"),
                args=[ast.Constant(value=str(column))],
            ))
            | ast.Delete(targets=[
                ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(column)))
            ])
        ):  # fmt: skip
            return name, column
    return None


def _is_target(node: ast.stmt, target: Set[str]) -> bool:
    """Tell whether a statement only makes the column that is predicted."""
    match node:
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(column)))]):
            return column in target
        case ast.Assign(targets=[ast.Attribute(attr=column)]):
            return column in target
    return False
