"""What names mean in a notebook: the modules and functions it imports, the texts it writes down."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from jupyter_mlops import parsed
from jupyter_mlops.environment.system.texts import Texts


@dataclass
class Scope:
    """Imported modules and functions by the name they have here; texts by theirs."""

    modules: dict[str, str] = field(default_factory=dict)
    imported: dict[str, None] = field(default_factory=dict)
    texts: Texts = field(default_factory=Texts)

    def learn(self, tree: ast.Module) -> None:
        """Read the imports and the simple assignments of a cell."""
        for node in parsed.nodes(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.imported[alias.name] = None
                    top = alias.name if alias.asname else alias.name.partition(".")[0]
                    self.modules[alias.asname or top] = top
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    self.imported[f"{node.module}.{alias.name}"] = None
                    self.modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            else:
                self.texts.learn(node)

    def dotted(self, node: ast.expr) -> str:
        """Return what a function is called in full: ``sp.run`` → ``subprocess.run``."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        root = self.modules.get(node.id, node.id) if isinstance(node, ast.Name) else ""
        return ".".join([root, *reversed(names)])
