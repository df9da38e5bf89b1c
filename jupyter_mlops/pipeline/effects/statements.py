"""What statements do."""

from __future__ import annotations
import __future__

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jupyter_mlops import parsed
from jupyter_mlops.pipeline.effects.core import FUTURE, Frame
from jupyter_mlops.pipeline.effects.expressions import Expressions
from jupyter_mlops.pipeline.effects.flow import DefinitionText
from jupyter_mlops.pipeline.effects.heap import ATOM, CONTAINERS, Obj, Value
from jupyter_mlops.pipeline.effects.scope import Scope
from jupyter_mlops.pipeline.effects.world import Binding


class Statements(Expressions):
    """Executes statements abstractly; a part of the interpreter."""

    def execute(self, statement: ast.stmt) -> None:
        """Interpret one statement."""
        if self.frame is not None:
            self.spend()
        handler = _EXECUTE.get(type(statement))
        if handler is not None:
            handler(self, statement)

    def execute_all(self, body: Sequence[ast.stmt]) -> None:
        """Interpret statements in order."""
        for statement in body:
            self.execute(statement)

    # --- binding --------------------------------------------------------------------------
    def _assign(self, node: ast.Assign) -> None:
        source = node.value
        parts: list[Value] | None = None
        if isinstance(source, ast.Tuple | ast.List) and not _has_star(source):
            parts = self.evaluate_all(source.elts)
            kind = "tuple" if isinstance(source, ast.Tuple) else "list"
            value = self.new(kind, [obj for part in parts for obj in part.objs])
        else:
            value = self.evaluate(source)
        for target in node.targets:
            if (
                parts is not None
                and isinstance(target, ast.Tuple | ast.List)
                and len(target.elts) == len(parts)
                and not _has_star(target)
            ):
                for element, part in zip(target.elts, parts, strict=True):
                    self.assign(element, part)
            else:
                self.assign(target, value)

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind or store into a target of any form."""
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            part = self.elements(value)
            for element in target.elts:
                self.assign(element, part)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, self.new("list", value.objs))
        elif isinstance(target, ast.Attribute):
            base = self.evaluate(target.value)
            if parsed.dotted(target).endswith(("index.name", "columns.name", ".names")):
                base |= self.frames()  # an index may be shared by frames made from each other
            self.set_attribute(base, target.attr, value)
        elif isinstance(target, ast.Subscript):
            base = self.evaluate(target.value)
            self.evaluate(target.slice)
            self.implicit([base])
            self.store(base, value)

    def frames(self) -> Value:
        """Return every frame that a name refers to."""
        found = (o for binding in self.world.names.values() for o in binding.value.objs)
        return Value(frozenset(o for o in found if o.kind == "pandas"))

    def _annotated(self, node: ast.AnnAssign) -> None:
        self.evaluate_annotation(node.annotation)
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value))

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.evaluate(node.value)
        target = node.target
        old = self.evaluate(_as_load(target))
        self.implicit([old, value])
        inner = [o for o in value.objs if o.kind not in CONTAINERS]
        inner += [c for o in value.objs if o.kind in CONTAINERS for c in o.content]
        for obj in old.objs:
            obj.hold(self.gathered(inner) if obj.kind in CONTAINERS else inner)
        self.recorder.change(old.objs)
        same = bool(old.objs) and all(o.kind in CONTAINERS for o in old.objs)
        result = old if same else old | value
        self.assign(target, Value(result.objs))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._delete_one(target)

    def _delete_one(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.unbind(target.id)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            base = self.evaluate(target.value)
            if isinstance(target, ast.Subscript):
                self.evaluate(target.slice)
            self.recorder.change(base.objs)
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._delete_one(element)

    # --- control flow ---------------------------------------------------------------------
    def _if(self, node: ast.If) -> None:
        self.implicit([self.evaluate(node.test)])
        with self.branch() as first:
            self.execute_all(node.body)
        with self.branch() as second:
            self.execute_all(node.orelse)
        self.settle(_common([(first, node.body), (second, node.orelse)]))

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        items = self.elements(self.evaluate(node.iter))
        with self.branch(), self.rounds() as rounds:
            with self._given_anew(node.target):
                for _ in rounds:
                    self.assign(node.target, items)
                    self.execute_all(node.body)
            self.execute_all(node.orelse)

    @contextmanager
    def _given_anew(self, target: ast.expr) -> Iterator[None]:
        """Say that a loop's variables are the loop's own in its body, and may be so after it."""
        world = self.world
        own = self.frame is None and not world.has_weak
        bound = [n for n in ast.walk(target) if isinstance(n, ast.Name)] if own else []
        names = [n.id for n in bound if isinstance(n.ctx, ast.Store)]
        before = {name: world.names.pop(name) for name in names if name in world.names}
        yield
        for name, old in before.items():
            new = world.names.get(name, old)
            binding = Binding(old.value | new.value, old.cells | new.cells)
            binding.deleted = old.deleted or new.deleted
            world.names[name] = binding
            self.recorder.forget(name)

    def _while(self, node: ast.While) -> None:
        self.implicit([self.evaluate(node.test)])
        with self.branch(), self.rounds() as rounds:
            for _ in rounds:
                self.execute_all(node.body)
                self.evaluate(node.test)
            self.execute_all(node.orelse)

    def _try(self, node: Any) -> None:
        branches: list[tuple[set[str], Sequence[ast.stmt]]] = []
        with self.branch() as bound:
            self.execute_all(node.body)
            self.execute_all(node.orelse)
        branches.append((bound, [*node.body, *node.orelse]))
        for handler in node.handlers:
            with self.branch() as caught:
                if handler.type is not None:
                    self.evaluate(handler.type)
                if handler.name:
                    self._caught(handler.name, handler.body)
                    caught.discard(handler.name)
                else:
                    self.execute_all(handler.body)
            branches.append((caught, handler.body))
        self.settle(_common(branches))
        self.execute_all(node.finalbody)

    def _caught(self, name: str, body: Sequence[ast.stmt]) -> None:
        """Interpret ``except ... as name``: the name is there only inside of the handler."""
        frame = self.frame
        error = self.new("unknown")
        if frame is not None and name not in frame.scope.elsewhere:
            before = frame.names.pop(name, None)
            frame.names[name] = error
            self.execute_all(body)
            frame.names.pop(name, None)
            if before is not None:
                frame.names[name] = before
            return
        names = self.world.names
        old = names.get(name)
        names[name] = Binding(error, frozenset({self.number}))
        self.recorder.forget(name)
        self.execute_all(body)
        names.pop(name, None)
        self.recorder.forget(name)
        if old is not None:
            names[name] = old
            self.unbind(name)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.evaluate(item.context_expr)
            self.implicit([value])
            for obj in value.objs:
                if obj.kind in ("lock", "connection"):
                    self.recorder.change([obj])
            if item.optional_vars is not None:
                entered = Value(value.objs | self.elements(value, consume=False).objs)
                if any(obj.kind in ("file", "stream") for obj in value.objs):
                    entered = value
                self.assign(item.optional_vars, entered)
        self.execute_all(node.body)

    def _match(self, node: ast.Match) -> None:
        subject = self.evaluate(node.subject)
        self.implicit([subject])
        part = Value(subject.objs | self.elements(subject, consume=False).objs)
        branches: list[tuple[set[str], Sequence[ast.stmt]]] = []
        total = False
        for case in node.cases:
            with self.branch() as bound:
                for pattern in ast.walk(case.pattern):
                    self._pattern(pattern, part)
                if case.guard is not None:
                    self.evaluate(case.guard)
                self.execute_all(case.body)
            branches.append((bound, case.body))
            plain = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            total = total or (plain and case.guard is None)
        if not total:
            branches.append((set(), []))
        self.settle(_common(branches))

    def _pattern(self, pattern: ast.AST, part: Value) -> None:
        if isinstance(pattern, ast.MatchAs | ast.MatchStar) and pattern.name:
            self.bind(pattern.name, part)
        elif isinstance(pattern, ast.MatchMapping) and pattern.rest:
            self.bind(pattern.rest, part)
        elif isinstance(pattern, ast.MatchValue):
            self.evaluate(pattern.value)
        elif isinstance(pattern, ast.MatchClass):
            self.evaluate(pattern.cls)

    # --- the rest -------------------------------------------------------------------------
    def _expression(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            value = self.call(node.value, bare=True)
        else:
            value = self.evaluate(node.value)
        if self.frame is None or not isinstance(node.value, ast.Call):
            self.implicit([value])  # at the top level its result is shown

    def _return(self, node: ast.Return) -> None:
        value = self.evaluate(node.value) if node.value is not None else ATOM
        if self.frame is not None:
            self.frame.results.append(value)

    def _raise(self, node: ast.Raise) -> None:
        self.evaluate_all([node.exc, node.cause])

    def _assert(self, node: ast.Assert) -> None:
        self.implicit([self.evaluate(node.test)])
        if node.msg is not None:
            with self.maybe():
                self.evaluate(node.msg)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        value = self.make_function(node, node.name)
        for decorator in reversed(node.decorator_list):
            value = self.decorated(decorator, value)
        self.bind(node.name, value)

    def _class(self, node: ast.ClassDef) -> None:
        bases = self.evaluate_all([*node.bases, *(k.value for k in node.keywords)])
        scope = Scope()
        frame = Frame(scope, self.frame)
        outer, self.frame, saved, self.weak = self.frame, frame, self.weak, 0
        self.class_frames.add(frame)
        try:
            self.execute_all(node.body)
        finally:
            self.frame, self.weak = outer, saved
        value = self.make_class(node.name, frame.names, bases)
        for decorator in reversed(node.decorator_list):
            value = self.decorated(decorator, value)
        self.bind(node.name, value)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            self.import_module(alias.name)
            obj = self.world.module(path)
            self.bind(alias.asname or path, Value(frozenset({obj})))

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        self.import_module(module)
        if module == "__future__":
            self._change_the_language([alias.name for alias in node.names])
        for alias in node.names:
            if alias.name == "*":
                self.star_import(module)
                continue
            obj: Obj = self.world.module(f"{module}.{alias.name}")
            self.bind(alias.asname or alias.name, self.as_value(obj))

    def _change_the_language(self, features: Sequence[str]) -> None:
        """All cells from here on are compiled otherwise; later steps do so from their start."""
        self.recorder.touch(FUTURE)
        known = [name for name in features if name in __future__.all_feature_names]
        flags = " | ".join(f"__future__.{name}.compiler_flag" for name in known)
        if known:
            line = f"import __future__; get_ipython().compile.flags |= {flags}"
            self.flow.definitions.append(DefinitionText(self.flow.number, (), line))

    def _global(self, node: ast.Global | ast.Nonlocal) -> None:
        """Declarations are part of the scope already."""


def _has_star(node: ast.Tuple | ast.List) -> bool:
    return any(isinstance(element, ast.Starred) for element in node.elts)


def _as_load(target: ast.expr) -> ast.expr:
    """Return the target of ``+=`` as an expression that reads it."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    assert isinstance(target, ast.Subscript)
    return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)


def _common(branches: list[tuple[set[str], Sequence[ast.stmt]]]) -> set[str]:
    """Return the names that every branch binds, leaving out branches that never come back."""
    staying = [bound for bound, body in branches if not (body and isinstance(body[-1], ast.Raise))]
    return set.intersection(*staying) if staying else set()


_EXECUTE: dict[type[ast.stmt], Callable[[Any, Any], None]] = {
    ast.Assign: Statements._assign,
    ast.AnnAssign: Statements._annotated,
    ast.AugAssign: Statements._augmented,
    ast.Delete: Statements._delete,
    ast.If: Statements._if,
    ast.For: Statements._for,
    ast.AsyncFor: Statements._for,
    ast.While: Statements._while,
    ast.Try: Statements._try,
    ast.With: Statements._with,
    ast.AsyncWith: Statements._with,
    ast.Match: Statements._match,
    ast.Expr: Statements._expression,
    ast.Return: Statements._return,
    ast.Raise: Statements._raise,
    ast.Assert: Statements._assert,
    ast.FunctionDef: Statements._function,
    ast.AsyncFunctionDef: Statements._function,
    ast.ClassDef: Statements._class,
    ast.Import: Statements._import,
    ast.ImportFrom: Statements._import_from,
    ast.Global: Statements._global,
    ast.Nonlocal: Statements._global,
}
if hasattr(ast, "TryStar"):
    _EXECUTE[ast.TryStar] = Statements._try
