"""Texts that code writes down: literals, names for them, and what is put together from them."""

from __future__ import annotations

import ast

from jupyter_mlops.environment.system.shell import UNKNOWN

#: How often a name may lead to another one.
_DEEPEST = 8


class Texts:
    """The values of names that are assigned a text or a list of texts somewhere."""

    def __init__(self) -> None:
        self._values: dict[str, list[ast.expr]] = {}

    def learn(self, node: ast.AST) -> None:
        """Note what an assignment to a plain name says."""
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Name):
                self._values.setdefault(target.id, []).append(value)

    def of(self, node: ast.expr, depth: int = 0) -> list[str]:
        """Return the texts that an expression may be; an unknown part is ``UNKNOWN``."""
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str) else []
        if depth > _DEEPEST:
            return []
        if isinstance(node, ast.JoinedStr):
            return ["".join(self._part(part, depth) for part in node.values)]
        if isinstance(node, ast.BinOp):
            return self._joined(node, depth)
        if isinstance(node, ast.Name):
            values = self._values.get(node.id, [])
            return [text for value in values for text in self.of(value, depth + 1)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._method(node, node.func, depth)
        return []

    def _part(self, part: ast.expr, depth: int) -> str:
        if isinstance(part, ast.FormattedValue):
            found = self.of(part.value, depth + 1)
            return found[0] if len(found) == 1 else UNKNOWN
        return "".join(self.of(part, depth))

    def _joined(self, node: ast.BinOp, depth: int) -> list[str]:
        left = self.of(node.left, depth + 1) or [UNKNOWN]
        if isinstance(node.op, ast.Add):
            right = self.of(node.right, depth + 1)
            end = right[0] if len(right) == 1 else UNKNOWN
            return [f"{text}{end}" for text in left]
        return [text.replace("%s", UNKNOWN) for text in left]  # "%s" % name

    def _method(self, node: ast.Call, function: ast.Attribute, depth: int) -> list[str]:
        if function.attr == "join" and node.args:
            return [" ".join(self.words(node.args[0], depth + 1)[:1])]
        if function.attr in ("format", "strip", "split"):
            return [text.replace("{}", UNKNOWN) for text in self.of(function.value, depth + 1)]
        return []

    def words(self, node: ast.expr, depth: int = 0) -> list[str]:
        """Return what the first word of a command may be, from a list of words or a text."""
        if depth > _DEEPEST:
            return []
        if isinstance(node, ast.List | ast.Tuple):
            return self.of(node.elts[0], depth + 1) if node.elts else []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.words(node.left, depth + 1)
        if isinstance(node, ast.Name):
            values = self._values.get(node.id, [])
            return [text for value in values for text in self.words(value, depth + 1)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "split" and node.args:  # shlex.split("dot -Tpng")
                return self.of(node.args[0], depth + 1)
            return self._method(node, node.func, depth)
        return self.of(node, depth)
