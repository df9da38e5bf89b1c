"""Which top-level statements are definitions: text that gives the same when it runs again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_mlops.pipeline.effects.flow import DefinitionText

if TYPE_CHECKING:
    from jupyter_mlops.pipeline.effects.interpreter import Interpreter

#: Decorators that only wrap: the decorated function can be made again from its text.
PLAIN_DECORATORS = frozenset(
    """
    staticmethod classmethod property dataclass dataclasses.dataclass functools.wraps wraps
    functools.lru_cache lru_cache functools.cache cache contextmanager
    contextlib.contextmanager functools.total_ordering total_ordering abstractmethod
    abc.abstractmethod unique enum.unique njit jit numba.njit numba.jit numba.vectorize
    vectorize np.vectorize numpy.vectorize cached_property functools.cached_property
    singledispatch overload typing.overload torch.no_grad no_grad delayed dask.delayed
    define attr.s attrs.define
    """.split()
)
KINDS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MAY_DEFINE = frozenset({*KINDS, ast.Assign})


def run(interpreter: Interpreter, statement: ast.stmt) -> None:
    """Interpret a top-level statement; keep its text where it is a definition."""
    if not _may_define(interpreter, statement):
        interpreter.execute(statement)
        _keep_constant(interpreter, statement)
        return
    before = interpreter.begin_needs()
    interpreter.execute(statement)
    needs = interpreter.end_needs(before)
    names = _names(interpreter, statement)
    text = DefinitionText(
        cell=interpreter.flow.number,
        names=names,
        source=_source(interpreter.source_lines, statement),
        is_class=isinstance(statement, ast.ClassDef),
        needs={name: b for name, b in needs.items() if name not in names},
    )
    interpreter.flow.definitions.append(text)
    for name in names:
        binding = interpreter.world.names.get(name)
        if binding is not None:
            binding.text = text
            for obj in binding.value.objs:
                if obj.kind in ("class", "function"):
                    interpreter.world.texts[obj] = text
    patched = _patched(statement)
    if patched is not None:
        for obj in interpreter.evaluate(patched).objs:
            interpreter.world.patches.append((obj, text))


def _may_define(interpreter: Interpreter, statement: ast.stmt) -> bool:
    kind = type(statement)
    if kind not in _MAY_DEFINE:
        return False
    if kind is ast.ImportFrom or kind is ast.Import:
        return True
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return all(_is_plain(d) for d in statement.decorator_list)
    if isinstance(statement, ast.ClassDef):
        return all(_is_plain(d) for d in statement.decorator_list) and all(
            _may_stand_in_class(child) for child in statement.body
        )
    target = _patched(statement)
    if target is not None:
        root: ast.expr = target
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name):
            binding = interpreter.world.names.get(root.id)
            return binding is not None and any(
                o.kind in ("module", "class") for o in binding.value.objs
            )
    return False


def _patched(statement: ast.stmt) -> ast.expr | None:
    """Return ``module.part`` of a statement ``module.part.name = value``."""
    if (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Attribute)
        and isinstance(statement.value, ast.Name | ast.Attribute | ast.Constant | ast.Lambda)
    ):
        return statement.targets[0].value
    return None


def _is_plain(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(target) in PLAIN_DECORATORS


def _may_stand_in_class(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        names = [ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in
                 statement.decorator_list]  # fmt: skip
        return all(
            name in PLAIN_DECORATORS or name.endswith((".setter", ".getter", ".deleter"))
            for name in names
        )
    return isinstance(statement, ast.Pass | ast.Expr | ast.Assign | ast.AnnAssign | ast.ClassDef)


def _keep_constant(interpreter: Interpreter, statement: ast.stmt) -> None:
    """Remember ``NAME = literal``: a class or a default may need it where its text runs again."""
    if not (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Constant | ast.UnaryOp)
    ):
        return
    name = statement.targets[0].id
    binding = interpreter.world.names.get(name)
    if binding is None or name in interpreter.world.parameters or binding.value.objs:
        return
    source = _source(interpreter.source_lines, statement)
    binding.constant = DefinitionText(interpreter.flow.number, (name,), source)


def _names(interpreter: Interpreter, statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.Import):
        return tuple(a.asname or a.name.partition(".")[0] for a in statement.names)
    if isinstance(statement, ast.ImportFrom):
        if statement.names[0].name == "*":
            module = "." * statement.level + (statement.module or "")
            return tuple(interpreter.star_homes(module) or ())
        return tuple(a.asname or a.name for a in statement.names if a.name != "*")
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return (statement.name,)
    return ()


def _source(lines: list[str], statement: ast.stmt) -> str:
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(d.lineno for d in decorators)]) - 1
    last = statement.end_lineno or statement.lineno
    text = lines[first:last]
    behind = text[-1].encode()[statement.end_col_offset or 0 :].strip()
    if statement.col_offset or ";" in text[0] or behind[:1] == b";":
        return ast.unparse(statement)
    return "\n".join(text)
