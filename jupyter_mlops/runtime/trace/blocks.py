"""Which names each block of a cell looks up, and the marks by which a block says that it ran.

A mark is the expression ``__mlops_seen__[7]`` on a ``defaultdict``: no call, so that profilers
see nothing, some 15 ns, and it goes into another process with a function that uses it. Only
blocks that look up names of the notebook, beyond those of the block around them, are marked.

A cell's own lines need no mark: they run. Loops count as part of the block around them, though
they may run no times: what is said to be read is never too little.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jupyter_mlops.runtime.trace import decorators, marks, scopes, statements
from jupyter_mlops.runtime.trace.scopes import Scope

# Called without arguments, they look at every name there is.
WHOLE = frozenset(("globals", "vars", "locals", "dir"))
WHOLE_MAGICS = frozenset(("who", "whos", "who_ls", "psearch", "store"))
# Their code is seen when it is compiled.
SEEN_MAGICS = frozenset(("time", "timeit", "capture"))
# Their text arguments are code, or have names in them.
TEXTUAL = frozenset(
    {"exec", "eval", "compile", "query", "run_line_magic", "run_cell_magic", "system"}
    | {"getoutput", "ex", "ev", "run_cell"}
)


@dataclass
class Block:
    """Lines that run together: what they look up in the notebook.

    ``own`` are names that the cell itself had surely bound by then. ``whole`` says that every
    name may be looked up, ``texts`` are texts that may be code, ``stored`` are attributes that
    are set, like ``np.random.seed``.
    """

    names: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    whole: bool = False

    def adds_nothing_to(self, around: Block | None) -> bool:
        """Tell whether this block needs no mark, given that the one around it ran."""
        other = self.own or self.imports or self.texts or self.stored or self.whole
        if not self.names and not other:
            return True
        if around is None or other:
            return False
        return self.names <= around.names


@dataclass
class Plan:
    """A cell's blocks (the first is its own lines), and the marks to set, not set yet."""

    blocks: list[Block] = field(default_factory=list)
    edits: list[Callable[[int], None]] = field(default_factory=list)
    edited: list[tuple[int, int | None]] = field(default_factory=list)
    unmarked: bool = False

    def apply(self, first: int) -> None:
        """Set the marks; the number of block ``k`` of this plan is ``first + k``."""
        for (block, around), edit in zip(self.edited, self.edits, strict=True):
            outer = None if around is None else self.blocks[around]
            if not self.blocks[block].adds_nothing_to(outer):
                edit(first + block)


def plan(
    tree: ast.Module, *, functions: bool = True, is_safe: Callable[[str], bool] = lambda root: False
) -> Plan:
    """Read a cell and plan its marks; the tree is not changed before ``Plan.apply``.

    ``functions`` is false where functions must stay as they are. ``is_safe`` tells whether a
    name is a decorator that the notebook itself defines.
    """
    made = Plan()
    visitor = _Visitor(made, functions, is_safe)
    visitor.lines(tree.body)
    return made


class _Visitor(ast.NodeVisitor):
    def __init__(self, made: Plan, functions: bool, is_safe: Callable[[str], bool]) -> None:
        self.made = made
        self.is_safe = is_safe
        self.marking = functions
        self.scope = Scope("module")
        self.defined: set[str] = set()
        self.resumable = False
        self.block = Block()
        self.number = 0
        made.blocks.append(self.block)

    # -- blocks

    def lines(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)

    def statements(self, body: list[ast.stmt]) -> None:
        """Visit lines; what comes after one that may have left is a block of its own."""
        block, number = self.block, self.number
        left = False
        for statement in list(body):
            if left and self._can_mark() and not self.resumable:
                around = self.number
                self._open()
                self._edit(self.number, around, marks.before(body, statement))
            self.visit(statement)
            left = statements.may_leave(statement)
        self.block, self.number = block, number

    def branch(self, body: list[ast.stmt], local: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        """Visit lines that may not run, as a block of their own where that can be marked."""
        if not body:
            return
        before = set(self.scope.assigned)
        self.scope.assigned |= local
        if self._can_mark() and not self.resumable:
            block, number = self.block, self.number
            self._open()
            self._edit(self.number, number, marks.inserted(body, 0))
            self.statements(body)
            self.block, self.number = block, number
        else:
            self.statements(body)
        self.scope.assigned = before

    def loop(self, body: list[ast.stmt], local: set[str]) -> None:
        before = set(self.scope.assigned)
        self.scope.assigned |= local
        self.statements(body)
        self.scope.assigned = before

    def _can_mark(self) -> bool:
        # A class may look names up in a mapping of its own.
        return self.scope.kind != "class" and (self.marking or self.scope.runs_at_once())

    def _open(self) -> None:
        self.block = Block()
        self.number = len(self.made.blocks)
        self.made.blocks.append(self.block)

    def _edit(self, number: int, around: int | None, edit: Callable[[int], None]) -> None:
        self.made.edited.append((number, around))
        self.made.edits.append(edit)

    # -- names

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self.bind(node.id)
        else:
            self.scope.assigned.discard(node.id)

    def read(self, name: str) -> None:
        if self.scope.kind == "class" and name in self.scope.local:
            return
        if self.scope.reaches_notebook(name):
            (self.block.own if self.scope.is_assigned(name) else self.block.names).add(name)

    def bind(self, name: str) -> None:
        if self.scope.kind == "class":
            self.scope.local.add(name)
        elif self.scope.kind == "module":
            self.scope.assigned.add(name)

    def generic_visit(self, node: ast.AST) -> None:
        super().generic_visit(node)
        for name in scopes.binds(node):
            self.bind(name)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.read(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)
        elif not isinstance(node.target, ast.Name):
            self.visit(node.target)

    def visit_Import(self, node: ast.Import) -> None:
        self.block.imports.update(alias.name.partition(".")[0] for alias in node.names)
        self.block.whole |= any(alias.name == "__main__" for alias in node.names)
        self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module and not node.level:
            self.block.imports.add(node.module.partition(".")[0])
            self.block.whole |= node.module == "__main__"
        self.generic_visit(node)

    # -- calls that look at names in other ways

    def visit_Call(self, node: ast.Call) -> None:
        callee = node.func
        called = callee.id if isinstance(callee, ast.Name) else getattr(callee, "attr", "")
        if isinstance(callee, ast.Name) and called in WHOLE and not node.args + node.keywords:
            self.block.whole |= called == "globals" or self.scope.runs_at_once()
        if called in TEXTUAL:
            texts = [str(c.value) for c in ast.walk(node) if isinstance(c, ast.Constant)]
            magic = texts[0] if "magic" in called and texts else ""
            self.block.whole |= magic in WHOLE_MAGICS
            self.block.texts += [] if magic in SEEN_MAGICS else texts
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in ("user_ns", "user_global_ns", "f_globals"):
            self.block.whole = True
        if not isinstance(node.ctx, ast.Load):
            path = statements.dotted(node)
            if path and self.scope.reaches_notebook(path.partition(".")[0]):
                self.block.stored.add(path)
        self.generic_visit(node)

    # -- statements with blocks

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.branch(node.body)
        self.branch(node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        known = set(self.scope.assigned)
        self.visit(node.target)  # it may be a subscript, which reads
        self.scope.assigned = known
        self.loop(node.body, scopes.targets(node.target))
        self.branch(node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self.loop(node.body, set())
        self.branch(node.orelse)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        before = set(self.scope.assigned)
        self.statements(node.body)
        self.scope.assigned = set(before)
        for handler in node.handlers:
            if handler.type is not None:
                self.visit(handler.type)
            self.branch(handler.body, {handler.name} if handler.name else set())
        self.statements(node.orelse)
        self.scope.assigned = before
        self.statements(node.finalbody)

    visit_TryStar = visit_Try

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.visit(item)
        before = set(self.scope.assigned)
        self.statements(node.body)
        self.scope.assigned = before  # the manager may swallow an exception

    visit_AsyncWith = visit_With

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self.scope.assigned)
        for case in node.cases:
            self.scope.assigned = set(before)
            self.visit(case.pattern)
            if case.guard is not None:
                self.visit(case.guard)
            self.branch(case.body)
        self.scope.assigned = before

    # -- expressions that may not run to their end

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        before = set(self.scope.assigned)
        for value in node.values[1:]:
            self.visit(value)
        self.scope.assigned = before

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        before = set(self.scope.assigned)
        self.visit(node.body)
        self.scope.assigned = set(before)
        self.visit(node.orelse)
        self.scope.assigned = before

    # -- scopes

    def visit_FunctionDef(self, node: scopes.FUNCTIONS) -> None:
        for part in [*node.decorator_list, node.args, node.returns]:
            if part is not None:
                self.visit(part)
        self.bind(node.name)
        if self.scope.kind == "module":
            self.defined.add(node.name)
        marking = self.marking and all(self._is_safe(d) for d in node.decorator_list)
        body = node.body
        resumable = isinstance(node, ast.AsyncFunctionDef) or statements.yields(body)
        head = 1 if statements.is_text(body[0]) else 0
        self.made.unmarked |= not marking
        with _Inside(self, scopes.of_function(node, self.scope), marking, resumable):
            if marking:
                edit = marks.everywhere(body, head) if resumable else marks.inserted(body, head)
                self._edit(self.number, None, edit)
            self.statements(body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self.made.unmarked |= not self.marking
        with _Inside(self, scopes.of_function(node, self.scope), self.marking, False):
            if self.marking:
                self._edit(self.number, None, marks.before_value(node))
            self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(part)
        if self.scope.kind == "module":
            self.defined.add(node.name)
        outer, marking = self.scope, self.marking
        self.scope = Scope("class", outer)
        self.marking = marking and all(self._is_safe(d) for d in node.decorator_list)
        self.statements(node.body)
        self.scope, self.marking = outer, marking
        self.bind(node.name)

    def _comprehension(self, node: scopes.COMPREHENSIONS) -> None:
        self.visit(node.generators[0].iter)
        outer = self.scope
        inner = scopes.of_comprehension(node, outer)
        later = isinstance(node, ast.GeneratorExp)
        with _Inside(self, inner, self.marking, False, block=later):
            if isinstance(node, ast.GeneratorExp) and self._can_mark():
                self._edit(self.number, None, marks.before_items(node))
            for position, generator in enumerate(node.generators):
                for part in [*([generator.iter] if position else []), *generator.ifs]:
                    self.visit(part)
                self.visit(generator.target)
            fields = ("key", "value") if isinstance(node, ast.DictComp) else ("elt",)
            for name in fields:
                self.visit(getattr(node, name))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _is_safe(self, decorator: ast.expr) -> bool:
        return decorators.is_safe(decorator, lambda n: n in self.defined or self.is_safe(n))


class _Inside:
    """Visits a scope that runs later: with a block of its own."""

    def __init__(
        self, visitor: _Visitor, scope: Scope, marking: bool, resumable: bool, block: bool = True
    ) -> None:
        self.visitor = visitor
        self.kept = vars(visitor).copy()
        self.scope, self.marking, self.resumable, self.new = scope, marking, resumable, block

    def __enter__(self) -> None:
        visitor = self.visitor
        if self.new:
            visitor._open()
            visitor.resumable = self.resumable
        visitor.scope, visitor.marking = self.scope, self.marking

    def __exit__(self, *_: object) -> None:
        vars(self.visitor).update(self.kept)
