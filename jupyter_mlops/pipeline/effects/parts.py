"""What the parts of the interpreter ask of each other."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from jupyter_mlops.pipeline.effects.heap import Obj, Value
from jupyter_mlops.pipeline.effects.scope import FunctionNode


class Parts:
    """Each of these is done by one class of the interpreter, and called by others."""

    def evaluate(self, node: ast.expr) -> Value:
        """Return what an expression may give."""
        raise NotImplementedError

    def execute(self, statement: ast.stmt) -> None:
        """Interpret one statement."""
        raise NotImplementedError

    def execute_all(self, body: Sequence[ast.stmt]) -> None:
        """Interpret statements in order."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind or store into a target of any form."""
        raise NotImplementedError

    def call(self, node: ast.Call, bare: bool = False) -> Value:
        """Interpret a call."""
        raise NotImplementedError

    def invoke(
        self,
        function: Value,
        arguments: Sequence[Value],
        keywords: Mapping[str, Value],
        bare: bool = False,
    ) -> Value:
        """Call whatever an expression gave."""
        raise NotImplementedError

    def elements(self, value: Value, consume: bool = True) -> Value:
        """Return what iterating over a value may give."""
        raise NotImplementedError

    def gathered(self, objs: Iterable[Obj]) -> list[Obj]:
        """Return what is kept of objects whose items are all taken."""
        raise NotImplementedError

    def changes(self, obj: Obj, name: str) -> bool:
        """Tell whether the method of this name changes its object."""
        raise NotImplementedError

    def add_missing(self, obj: Obj) -> None:
        """Handle a look into a ``defaultdict``: it may make the item."""
        raise NotImplementedError

    def implicit(self, values: Iterable[Value]) -> None:
        """Note what operators and printing do to instances."""
        raise NotImplementedError

    def make_function(self, node: FunctionNode, name: str) -> Value:
        """Return a function object."""
        raise NotImplementedError

    def make_class(self, name: str, members: Mapping[str, Value], bases: Sequence[Value]) -> Value:
        """Return a class object."""
        raise NotImplementedError

    def decorated(self, decorator: ast.expr, value: Value) -> Value:
        """Return what a decorator makes of a function or class."""
        raise NotImplementedError

    def set_attribute(self, base: Value, name: str, value: Value) -> None:
        """Handle ``base.name = value``."""
        raise NotImplementedError

    def member(self, module: Obj, name: str) -> Value:
        """Return ``module.name``."""
        raise NotImplementedError

    def member_of_class(self, obj: Obj, name: str) -> Value:
        """Return ``obj.name`` of an instance or a class of the notebook."""
        raise NotImplementedError

    def as_value(self, obj: Obj) -> Value:
        """Return what a part of a module is."""
        raise NotImplementedError

    def import_module(self, name: str) -> None:
        """Note what importing reads."""
        raise NotImplementedError

    def star_import(self, module: str) -> None:
        """Bind what ``from module import *`` binds."""
        raise NotImplementedError

    def open_file(self, arguments: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
        """Handle ``open()``."""
        raise NotImplementedError

    def file(self, mode: str, path: str | None) -> None:
        """Note that a file is read ("in"), written ("out") or both ("change")."""
        raise NotImplementedError

    def file_obj(self, path: str | None) -> Obj:
        """Return the object that stands for what is in a file."""
        raise NotImplementedError

    def yielded(self, value: Value) -> None:
        """Note what a generator yields."""
        raise NotImplementedError

    def sent(self) -> Value:
        """Return what a generator may be sent."""
        raise NotImplementedError
