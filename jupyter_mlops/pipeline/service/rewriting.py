"""From a statement of the notebook to the same for any rows: what is learned was learned before."""

from __future__ import annotations

import ast
import copy
import hashlib
import keyword
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Literal

from jupyter_mlops.capture.models import Tap
from jupyter_mlops.pipeline.names import BUILTINS, bound, needed
from jupyter_mlops.pipeline.service import words
from jupyter_mlops.pipeline.service.carrying import Names, Statement, base, called, kind

NUMBER = "_mlops_number"


@dataclass
class Learned:
    """The taps that a service's text refers to, by the names that it uses for them."""

    taken: Set[str]
    taps: dict[str, Tap] = field(default_factory=dict)

    def name(self, wish: str, tap: Tap) -> str:
        """Return the name of what a tap keeps; the same tap has the same name."""
        for known, each in self.taps.items():
            if (each.kind, each.statement, each.node) == (tap.kind, tap.statement, tap.node):
                return known
        wish = re.sub(r"\W+", "_", wish).strip("_").lower() or "learned"
        wish = f"learned_{wish}" if wish[0].isdigit() or keyword.iskeyword(wish) else wish
        name, number = wish, 1
        while name in self.taken or name in self.taps or name in BUILTINS:
            number += 1
            name = f"{wish}_{number}"
        self.taps[name] = Tap(
            key=f"learned:{name}",
            kind=tap.kind,
            statement=tap.statement,
            node=tap.node,
            by=tap.by,
        )
        return name


@dataclass(frozen=True)
class Made:
    """A statement for any rows: the names it reads that carry rows, and those on the side.

    ``chose`` says that it chose rows in the notebook, ``relabeled`` that it gave them new labels;
    ``plain`` that it only takes columns, or nothing.
    """

    node: ast.stmt | None
    rows: set[str]
    side: set[str]
    chose: bool = False
    relabeled: bool = False
    plain: bool = False


def fingerprint(node: ast.stmt) -> str:
    """Return how a statement is recognized in the run."""
    return hashlib.sha256(ast.unparse(node).encode()).hexdigest()


def rewritten(
    statement: Statement,
    learned: Learned,
    target: Set[str],
    fits: Mapping[str, int],
    touched: Set[str],
) -> Made:
    """Return a statement as a service executes it, for the names that it changes there."""
    maker = _Maker(statement, learned, target, fits, touched)
    node = maker.visit(numbered(statement.node))
    if not isinstance(node, ast.stmt) or _is_idle(node):
        return Made(None, set(), set(), maker.chose, maker.relabeled, plain=True)
    return finished(ast.fix_missing_locations(node), statement, maker)


def finished(node: ast.stmt, statement: Statement, maker: _Maker) -> Made:
    """Tell the names of a statement that is ready."""
    read = needed(node)
    if isinstance(node, ast.For | ast.If | ast.With | ast.Try):
        inner = {n for n in bound(node) if statement.before.get(n) != "rows"}
        read -= inner
        if isinstance(node, ast.For):
            read -= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    beside = _beside(node)
    rows = {n for n in read - beside if statement.before.get(n) == "rows"}
    return Made(
        node, rows, read - rows, maker.chose, maker.relabeled, plain=not rows or _is_plain(node)
    )


def _beside(node: ast.stmt) -> set[str]:
    """Return the names of tables that rows are only looked up in."""
    inside: list[ast.AST] = []
    for each in ast.walk(node):
        if not isinstance(each, ast.Call) or called(each) not in words.LOOKS:
            continue
        own = isinstance(each.func, ast.Attribute) and base(each.func.value) in ("pd", "pandas")
        inside += each.args[1 if own else 0 :]
        inside += [k.value for k in each.keywords if k.arg in ("right", "other", "arg", "values")]
    names = [n for each in inside for n in ast.walk(each) if isinstance(n, ast.Name)]
    counted = {id(name) for name in names}
    others = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in counted}
    return {name.id for name in names} - others


def rewritten_expression(
    node: ast.expr, statement: Statement, learned: Learned, fits: Mapping[str, int]
) -> tuple[ast.expr, Made]:
    """Return an expression of a statement as a service evaluates it."""
    maker = _Maker(statement, learned, frozenset(), fits)
    at = next(n for n, each in enumerate(ast.walk(statement.node)) if each is node)
    copied = next(e for e in ast.walk(numbered(statement.node)) if getattr(e, NUMBER) == at)
    value = maker.visit(copied)
    assert isinstance(value, ast.expr)
    made = ast.fix_missing_locations(ast.Expr(value))
    return made.value, finished(made, statement, maker)


def numbered(node: ast.stmt) -> ast.stmt:
    """Return a copy in which every node knows its place."""
    copied = copy.deepcopy(node)
    for number, each in enumerate(ast.walk(copied)):
        setattr(each, NUMBER, number)
    return copied


def _is_idle(node: ast.stmt) -> bool:
    """Tell whether it gives a name its own value."""
    match node:
        case ast.Assign(targets=[ast.Name(id=one)], value=ast.Name(id=other)):
            return one == other
        case ast.Expr(value=ast.Name()):
            return True
    return False


def _is_plain(node: ast.stmt) -> bool:
    """Tell whether it only takes columns of a table."""
    return isinstance(node, ast.Assign | ast.Expr) and _takes(node.value)


def _takes(node: ast.expr) -> bool:
    match node:
        case ast.Name():
            return True
        case ast.Subscript(value=value):
            return _takes(value)
        case ast.Attribute(value=value, attr="loc" | "iloc"):
            return _takes(value)
        case ast.Call(func=ast.Attribute(value=value, attr="drop" | "copy")):
            return _takes(value)
    return False


class _Maker(ast.NodeTransformer):
    def __init__(
        self,
        statement: Statement,
        learned: Learned,
        target: Set[str],
        fits: Mapping[str, int],
        touched: Set[str] = frozenset(),
    ) -> None:
        self.statement = statement
        self.names: Names = statement.before
        self.learned = learned
        self.target = target
        self.fits = fits
        self.chose = self.relabeled = False
        self.touched = touched
        self.loop = ""
        self.print = fingerprint(statement.node)

    def visit(self, node: ast.AST) -> ast.AST | None:
        """Replace what was learned of many rows by what the run learned."""
        if isinstance(node, ast.expr) and self._is_learned(node):
            return self._kept(node, "value", _words(node))
        found: ast.AST | None = super().visit(node)
        return found

    def _is_learned(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name | ast.Constant) or kind(node, self.names) != "learned":
            return False
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return False
        return any(
            isinstance(each, ast.Name) and self.names.get(each.id) == "rows"
            for each in ast.walk(node)
        )

    def _kept(
        self,
        node: ast.expr,
        how: Literal["call", "fitted", "value", "columns", "after"],
        wish: str,
    ) -> ast.expr:
        tap = Tap(key="", kind=how, statement=self.print, node=getattr(node, NUMBER), by=self.loop)
        wish = f"{wish}_by_{self.loop}" if self.loop else wish
        name: ast.expr = ast.Name(self.learned.name(wish, tap), ast.Load())
        if self.loop:
            name = ast.Subscript(name, ast.Name(self.loop, ast.Load()), ast.Load())
        return name

    def visit_For(self, node: ast.For) -> ast.AST | None:
        """A loop over columns is kept; what each turn learned is kept by the turn."""
        before = self.loop
        if isinstance(node.iter, ast.List | ast.Tuple):
            # ``for df in [train, test]`` is, for one of the tables, a loop of one turn.
            own = [e for e in node.iter.elts if isinstance(e, ast.Name) and e.id in self.touched]
            node.iter.elts = [*own] or node.iter.elts
        if isinstance(node.target, ast.Name):
            self.loop = node.target.id
        fitted = {
            base(each.func.value)
            for each in ast.walk(node)
            if isinstance(each, ast.Call)
            and isinstance(each.func, ast.Attribute)
            and each.func.attr in (*words.FITS, "fit")
        }
        body = []
        for each in node.body:
            if _only_names(each, fitted):
                continue  # the objects of the turns are kept
            made = self.visit(each)
            if isinstance(made, ast.stmt) and not _is_idle(made):
                body.append(made)
        self.loop = before
        if not body:
            return None
        node.body = body
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST | None:
        """Fitting again becomes asking; choosing rows becomes nothing."""
        name, method = called(node), isinstance(node.func, ast.Attribute)
        given = [*node.args, *(k.value for k in node.keywords if k.arg in ("X", "y"))]
        if name in words.FITS and method and given:
            return self._asked(node, given[0])
        if method and isinstance(node.func, ast.Attribute):
            value = node.func.value
            rows = kind(value, self.names) == "rows"
            if rows and name in words.CHOOSES and not _has_axis(node):
                self.chose = True
                self.relabeled |= name in words.RELABELS
                return self.visit(value)
            if rows and name == "drop" and not any(k.arg == "errors" for k in node.keywords):
                node.keywords.append(ast.keyword("errors", ast.Constant("ignore")))
        if name == "get_dummies" and kind(node, self.names) == "rows":
            return self._dummies(node)
        return self.generic_visit(node)

    def _asked(self, node: ast.Call, given: ast.expr) -> ast.expr:
        assert isinstance(node.func, ast.Attribute)
        fitted = node.func.value
        once = isinstance(fitted, ast.Name) and self.fits.get(fitted.id, 0) == 1 and not self.loop
        if not once:
            wish = base(fitted) or called(fitted) or "fitted"
            fitted = self._kept(node, "fitted", _snake(wish))
        argument = self.visit(given)
        assert isinstance(argument, ast.expr)
        again = words.FITS[called(node)]
        return ast.Call(ast.Attribute(fitted, again, ast.Load()), [argument], [])

    def _dummies(self, node: ast.Call) -> ast.expr:
        columns = self._kept(node, "columns", "dummy_columns")
        # The first category of a request is not the first of the training data.
        node.keywords = [each for each in node.keywords if each.arg != "drop_first"]
        made = self.generic_visit(node)
        assert isinstance(made, ast.expr)
        again = ast.Attribute(made, "reindex", ast.Load())
        fill = [ast.keyword("columns", columns), ast.keyword("fill_value", ast.Constant(0))]
        return ast.Call(again, [], fill)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST | None:
        """A part of the rows becomes all of them; a part of the columns stays."""
        if not isinstance(node.ctx, ast.Load) or kind(node.value, self.names) != "rows":
            return self.generic_visit(node)
        at = node.value.attr if isinstance(node.value, ast.Attribute) else ""
        located = at in ("loc", "iloc")
        if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
            rows, columns = node.slice.elts
            if self._chooses(rows) or located:
                self.chose |= not _is_all(rows)
                node.slice = ast.Tuple([ast.Slice(), columns], ast.Load())
            return self.generic_visit(node)
        if located and isinstance(node.value, ast.Attribute):
            self.chose = True
            return self.visit(node.value.value)
        if self._chooses(node.slice):
            self.chose = True
            return self.visit(node.value)
        return self.generic_visit(node)

    def _chooses(self, part: ast.expr) -> bool:
        if isinstance(part, ast.Slice):
            return not _is_all(part)
        return kind(part, self.names) == "rows"


def _is_all(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and not (node.lower or node.upper or node.step)


def _has_axis(node: ast.Call) -> bool:
    return any(
        k.arg == "axis" and isinstance(k.value, ast.Constant) and k.value.value in (1, "columns")
        for k in node.keywords
    )


def _only_names(node: ast.stmt, fitted: Set[str]) -> bool:
    """Tell whether a loop's statement only makes or keeps the object that the loop fits."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call()):
            return name in fitted and called(node.value) not in (*words.FITS, "transform")
        case ast.Assign(targets=[ast.Subscript()], value=ast.Name(id=name)):
            return name in fitted
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="fit" | "append"))):
            return True
    return False


def _words(node: ast.expr) -> str:
    """Return a name that says what an expression is: ``df["age"].mean()`` is ``age_mean``."""
    found: list[str] = []
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute):
            found.append(each.attr)
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            found.append(each.value)
        elif isinstance(each, ast.Name):
            found.append(each.id)
    parts = list(dict.fromkeys(reversed(found)))
    texts = [e.value for e in ast.walk(node) if isinstance(e, ast.Constant)]
    named = [part for part in parts if part in texts]
    ends = [called(node)] if isinstance(node, ast.Call) else found[:1]
    return "_".join([*(named[:1] or parts[:1]), *ends])[:40]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
