"""What kind of statement a statement is: where it may stop, leave, or has lines inside."""

from __future__ import annotations

import ast

from jupyter_mlops.runtime.trace import scopes


def bodies(line: ast.stmt) -> list[list[ast.stmt]]:
    """Return the lists of lines directly inside of a statement."""
    inner: list[ast.AST] = [line, *getattr(line, "handlers", []), *getattr(line, "cases", [])]
    found = [getattr(n, name, []) for n in inner for name in ("body", "orelse", "finalbody")]
    return [body for body in found if body]


def pauses(node: ast.AST) -> bool:
    """Tell whether a function stops in this statement and goes on later."""
    if isinstance(node, scopes.FUNCTIONS | ast.ClassDef | ast.Lambda):
        return False
    if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await | ast.AsyncFor | ast.AsyncWith):
        return True
    return any(pauses(child) for child in ast.iter_child_nodes(node))


def yields(body: list[ast.stmt]) -> bool:
    """Tell whether a function with this body stops and goes on later."""
    return any(pauses(line) for line in body)


def is_text(node: ast.stmt) -> bool:
    """Tell whether a statement is only a text, like a docstring."""
    value = getattr(node, "value", None)
    return (
        isinstance(node, ast.Expr)
        and isinstance(value, ast.Constant)
        and isinstance(value.value, str)
    )


def dotted(node: ast.Attribute) -> str:
    """Return ``np.random.seed`` for such an expression, an empty text for any other."""
    parts = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return ".".join([inner.id, *reversed(parts)]) if isinstance(inner, ast.Name) else ""


def may_leave(node: ast.AST) -> bool:
    """Tell whether a statement with lines inside may end the lines that it stands in."""
    if isinstance(node, scopes.FUNCTIONS | ast.ClassDef | ast.expr):
        return False
    if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break):
        return True
    return any(may_leave(child) for child in ast.iter_child_nodes(node))
