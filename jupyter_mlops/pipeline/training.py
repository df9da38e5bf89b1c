"""What a notebook trains on, read from its text: the data that is handed to a ``fit``."""

from __future__ import annotations

import ast

from jupyter_mlops import parsed
from jupyter_mlops.capture.models import Trained
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.estimators import FITS
from jupyter_mlops.pipeline.names import BUILTINS

#: Keyword arguments of ``fit`` that are options.
OPTIONS = frozenset({"epochs", "verbose", "batch_size", "callbacks", "classes", "shuffle"})
#: What has names of its own, which are gone after the run.
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
#: Where a part is another one each time: what it is a part of is told.
LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


def trained(notebook: Notebook) -> list[Trained]:
    """Return what is given to a ``fit``, in the order of the text, each with its cell's index.

    A name or a part of one (``table[columns]``, ``data.values``) can be looked at again after
    the run; of any other expression the names in it are given. ``by`` is the name that is fitted.
    """
    found: dict[tuple[str, str], Trained] = {}
    for cell in notebook.cells:
        assigned = _assigned(cell.tree)
        inside = _within(cell.tree, SCOPES)
        repeated = _within(cell.tree, LOOPS)
        for node in parsed.nodes(cell.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in FITS or id(node) in inside:
                continue
            by = _fitted(node.func.value) or assigned.get(id(node), "")
            for text in _texts(node, whole=id(node) in repeated):
                found.setdefault((text, by), Trained(text=text, cell=cell.index, by=by))
    return list(found.values())


def _within(tree: ast.Module, kinds: tuple[type[ast.AST], ...]) -> set[int]:
    """Return the nodes that stand inside of statements or expressions of some kinds."""
    outer = [node for node in parsed.nodes(tree) if isinstance(node, kinds)]
    return {id(node) for each in outer for node in ast.walk(each) if node is not each}


def made_from(flow: Dataflow) -> dict[str, list[str]]:
    """Return, for each name, the names that the cells mention which bind or change it."""
    found: dict[str, set[str]] = {}
    for cell in flow.flows:
        for name in cell.binds | cell.mutates:
            found.setdefault(name, set()).update(cell.loads)
    read = {name: sorted(loads - {name} - BUILTINS) for name, loads in sorted(found.items())}
    return {name: loads for name, loads in read.items() if loads}


def _assigned(tree: ast.Module) -> dict[int, str]:
    """Return the names that calls are assigned to: ``model = Ridge().fit(X, y)``."""
    return {
        id(node.value): target.id
        for node in parsed.nodes(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets[:1]
        if isinstance(target, ast.Name)
    }


def _fitted(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _texts(call: ast.Call, *, whole: bool) -> list[str]:
    given = [*call.args, *(k.value for k in call.keywords if k.arg and k.arg not in OPTIONS)]
    # ``statsmodels.ols("y ~ x", data=table).fit()`` is given its data before.
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        before = call.func.value
        given += [k.value for k in before.keywords if k.arg == "data"]
    found: dict[str, None] = {}
    for value in given:
        if isinstance(value, ast.Starred):
            value = value.value
        if _is_part(value) and not whole:
            found[ast.unparse(value)] = None
        elif not isinstance(value, ast.Constant):
            found.update(dict.fromkeys(_names(value)))
    return list(found)


def _is_part(node: ast.expr) -> bool:
    """Tell whether an expression can be evaluated again: it calls nothing and counts nothing."""
    if isinstance(node, ast.Name):
        return node.id not in BUILTINS
    if isinstance(node, ast.Attribute):
        return _is_part(node.value)
    if isinstance(node, ast.Subscript):
        return _is_part(node.value) and _is_index(node.slice)
    return False


def _is_index(node: ast.expr) -> bool:
    plain = (
        ast.Name | ast.Constant | ast.List | ast.Tuple | ast.Slice | ast.UnaryOp | ast.USub
        | ast.Load | ast.Attribute
    )  # fmt: skip
    return all(isinstance(each, plain) for each in ast.walk(node))


def _names(node: ast.expr) -> list[str]:
    """Return the names that an expression reads, but for those of functions that it calls."""
    called = {id(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    own = {
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    return [
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and id(each) not in called
        if each.id not in own | BUILTINS
    ]
