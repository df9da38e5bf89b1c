"""scikit-learn's data sets: objects that hold tables, and are none themselves."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jupyter_mlops.pipeline.service.carrying import Statement, called

MODULE = "sklearn.datasets"
LOADS = ("load_", "fetch_")


def loaded(statements: Sequence[Statement]) -> set[int]:
    """Return the places of the statements that bind a name to a whole data set."""
    known: set[str] = set()
    found: set[int] = set()
    for at, statement in enumerate(statements):
        match statement.node:
            case ast.ImportFrom(module=module, names=names) if module == MODULE:
                known |= {each.asname or each.name for each in names}
            case ast.Assign(targets=[ast.Name()], value=ast.Call() as call):
                if _loads(call, known):
                    found.add(at)
    return found


def _loads(call: ast.Call, known: set[str]) -> bool:
    name = called(call)
    if not name.startswith(LOADS) or any(each.arg == "return_X_y" for each in call.keywords):
        return False
    if isinstance(call.func, ast.Name):
        return name in known
    return ast.unparse(call.func).endswith(f"datasets.{name}")
