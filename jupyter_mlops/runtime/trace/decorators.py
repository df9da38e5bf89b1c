"""Which decorators leave a function as it is written, so that marks may be set in it."""

from __future__ import annotations

import ast
from collections.abc import Callable

# Decorators that run the function as it is written; others may compile or copy it.
SAFE_DECORATORS = frozenset(
    {"abstractmethod", "asynccontextmanager", "cache", "cached_property", "classmethod"}
    | {"contextmanager", "dataclass", "deleter", "final", "getter", "lru_cache", "no_grad"}
    | {"inference_mode", "overload", "override", "property", "register", "setter"}
    | {"singledispatch", "singledispatchmethod", "staticmethod", "total_ordering", "wraps"}
)


def is_safe(decorator: ast.expr, is_own: Callable[[str], bool]) -> bool:
    """Tell whether a decorator runs the function as it is; ``is_own`` knows the notebook's."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    last = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    root = target
    while isinstance(root, ast.Attribute | ast.Call | ast.Subscript):
        root = root.func if isinstance(root, ast.Call) else root.value
    return (isinstance(root, ast.Name) and is_own(root.id)) or last in SAFE_DECORATORS
