"""What one piece of code imports and calls, read from its tree alone and kept with the tree."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_mlops import parsed

IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.Lt: operator.lt,
}
#: Extensions that are part of IPython.
IPYTHON = frozenset({"autoreload", "storemagic", "deduperreload"})
#: Cell magics that a package brings, whose extension another cell may have loaded.
CELL_MAGICS = {"cython": "Cython", "R": "rpy2", "manim": "manim"}
#: Backends of ``%matplotlib`` that a package brings.
BACKENDS = {"widget": "ipympl", "ipympl": "ipympl", "qt": "PyQt5", "qt5": "PyQt5", "qt6": "PyQt6"}
#: A bound that a version of Python meets or not: what compares, and with which version.
Bound = tuple[Callable[[Any, Any], bool], tuple[int, ...], bool]


@dataclass(frozen=True)
class Where:
    """Under which conditions code runs: what it is inside of.

    ``unless`` are modules of which one is missing, then; those that end in ``?`` may fail to be
    imported for another reason too: an older or newer version has no such part.
    """

    guarded: bool = False
    conditional: bool = False
    unless: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()

    def holds(self, python: tuple[int, ...] | None) -> bool:
        """Tell whether a Python gets here; ``None`` is any."""
        return python is None or all(
            compare(python, version) is wanted for compare, version, wanted in self.bounds
        )


@dataclass(frozen=True)
class Sighting:
    """A module that code imports (dotted; leading dots where relative).

    ``how`` says by what, for a person; empty for an import. ``part`` is true where the last
    name may be no module but a part of one (``from a import b``).
    """

    module: str
    where: Where
    how: str = ""
    part: bool = False


@dataclass(frozen=True)
class Use:
    """A call, or an attribute that is read: its names, and the texts it is given.

    A text that starts with ``$`` is the name of a variable; ``\\0`` in it is what is not known.
    """

    names: tuple[str, ...]
    called: bool
    texts: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    where: Where


@dataclass
class Seen:
    """Everything that one tree shows."""

    imports: list[Sighting] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    written: dict[str, ast.Module] = field(default_factory=dict)
    dynamic: bool = False


@parsed.remembered
def of(tree: ast.Module) -> Seen:
    """Return what a tree shows."""
    walker = _Walker()
    walker.body(tree.body, Where())
    return walker.seen


def of_cell(source: str, tree: ast.Module) -> list[Seen]:
    """Return what a cell shows: its code, and its cell magic."""
    start = re.match(r"\s*%%(\w+)[ \t]*([^\n]*)\n?", source)
    if start is None or start.group(1) in parsed.PYTHON_BODY_MAGICS:
        return [of(tree)]
    walker = _Walker()
    walker.cell_magic(start.group(1), start.group(2), source[start.end() :], Where())
    return [of(tree), walker.seen]


class _Walker:
    """Goes through statements, knowing what they are inside of."""

    def __init__(self) -> None:
        self.seen = Seen()

    def body(self, statements: Sequence[ast.stmt], where: Where) -> None:
        for statement in statements:
            self._statement(statement, where)

    def _statement(self, node: ast.stmt, where: Where) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._imported(alias.name, where)
                top = alias.name.partition(".")[0]
                self.seen.aliases[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            self._import_from(node, where)
        elif isinstance(node, ast.If):
            self._if(node, where)
        elif isinstance(node, ast.Try | ast.TryStar):
            self._try(node, where)
        elif isinstance(node, ast.With | ast.AsyncWith):
            suppressed = any(_suppresses(item.context_expr) for item in node.items)
            self._expressions(node, where)
            self.body(node.body, replace(where, guarded=where.guarded or suppressed))
        else:
            if isinstance(node, ast.Assign):
                self._constant(node)
            self._expressions(node, where)
            for name in ("body", "orelse"):
                self.body(getattr(node, name, []), where)
            for case in getattr(node, "cases", []):
                self.body(case.body, where)

    def _imported(self, module: str, where: Where, how: str = "") -> None:
        self.seen.imports.append(Sighting(module, where, how))

    def _import_from(self, node: ast.ImportFrom, where: Where) -> None:
        start = "." * node.level + (node.module or "")
        for alias in node.names:
            # `from google.cloud import storage`: the module may be google.cloud.storage.
            joint = "" if start.endswith(".") else "."
            name = start if alias.name == "*" else f"{start}{joint}{alias.name}"
            self.seen.imports.append(Sighting(name, where, part=alias.name != "*"))
            if not node.level and alias.name != "*":
                self.seen.aliases[alias.asname or alias.name] = name

    def _if(self, node: ast.If, where: Where) -> None:
        self._expressions(node.test, where)
        test = ast.unparse(node.test) if len(list(ast.walk(node.test))) < 40 else ""
        if test in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING", "False", "0"}:
            self.body(node.orelse, where)
            return
        inside = replace(where, conditional=True)
        if "find_spec(" in test:
            self.body(node.body, replace(inside, guarded=True))
            self.body(node.orelse, replace(inside, guarded=True))
            return
        bound = _bound(node.test)
        if bound is None:
            self.body(node.body, inside)
            self.body(node.orelse, inside)
            return
        compare, version = bound
        for statements, wanted in ((node.body, True), (node.orelse, False)):
            bounds = (*where.bounds, (compare, version, wanted))
            self.body(statements, replace(where, bounds=bounds))

    def _try(self, node: ast.Try | ast.TryStar, where: Where) -> None:
        catches = _catches_import_error(node)
        before = len(self.seen.imports)
        self.body(node.body, replace(where, guarded=True) if catches else where)
        imports = self.seen.imports[before:]
        only_imports = all(isinstance(each, ast.Import | ast.ImportFrom) for each in node.body)
        tried = tuple(
            s.module if only_imports and not s.part and "." not in s.module else f"{s.module}?"
            for s in imports
            if not s.how
        )
        for handler in node.handlers:
            instead = replace(where, unless=(*where.unless, *tried)) if catches else where
            self.body(handler.body, instead)
        self.body(node.orelse, where)
        self.body(node.finalbody, where)

    def _constant(self, node: ast.Assign) -> None:
        text = _text(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name) and text:
                self.seen.constants[target.id] = text
            elif isinstance(target, ast.Attribute) and text:
                names = (*_chain(target), "=")
                self.seen.uses.append(Use(names, True, (text,), (), Where()))

    def _expressions(self, node: ast.AST, where: Where) -> None:
        """Look at the calls and attributes in what a statement itself evaluates."""
        waiting = _own(node)
        while waiting:
            each = waiting.pop()
            if isinstance(each, ast.Call):
                self._call(each, where)
                waiting += [*each.args, *(k.value for k in each.keywords)]
                rest = each.func
                while isinstance(rest, ast.Attribute):
                    rest = rest.value
                waiting.append(rest)
            elif isinstance(each, ast.Attribute):
                if isinstance(each.ctx, ast.Load):
                    self.seen.uses.append(Use(_chain(each), False, (), (), where))
                rest = each
                while isinstance(rest, ast.Attribute):
                    rest = rest.value
                waiting.append(rest)
            else:
                waiting += [c for c in ast.iter_child_nodes(each) if not isinstance(c, ast.stmt)]

    def _call(self, node: ast.Call, where: Where) -> None:
        names = _chain(node.func)
        texts = tuple(_text(argument) for argument in node.args)
        last = names[-1]
        if names[0] == "get_ipython" and len(names) == 2:
            self._ipython(last, texts, where)
            return
        keywords = tuple((k.arg, _text(k.value)) for k in node.keywords if k.arg)
        self.seen.uses.append(Use(names, True, texts, keywords, where))
        first = texts[0] if texts else ""
        if last in {"import_module", "__import__", "importorskip", "LazyLoader"}:
            if not first or first[0] == "$" or "\0" in first:
                self.seen.dynamic = True
            elif not first.startswith("."):
                self._imported(first, where)
        elif last in {"iter_modules", "walk_packages"}:
            self.seen.dynamic = True
        elif last == "exec" and first and first[0] != "$" and "\0" not in first:
            self.body(parsed.of(first)[1].body, where)
        elif names[-3:-1] == ("sys", "path") and last in {"append", "insert", "extend"}:
            self.seen.paths += [text for text in texts if text and text[0] != "$"]
        elif last == "addsitedir" and first:
            self.seen.paths.append(first)

    def _ipython(self, method: str, texts: Sequence[str], where: Where) -> None:
        if method == "run_line_magic" and len(texts) == 2:
            self._line(texts[0], texts[1], where)
        elif method == "run_cell_magic" and len(texts) == 3:
            self.cell_magic(texts[0], texts[1], texts[2], where)
        elif method in {"system", "getoutput"} and texts:
            self._shell(texts[0], where)

    def _line(self, name: str, text: str, where: Where) -> None:
        word = text.split()[0] if text.split() else ""
        if name in {"load_ext", "reload_ext"} and word and word not in IPYTHON:
            self._imported(word, where, f"loads the extension {word}")
        elif name == "matplotlib":
            self._imported("matplotlib", where, "says %matplotlib")
            if word in BACKENDS:
                self._imported(BACKENDS[word], where, f"says %matplotlib {word}")
        elif name == "pylab":
            self._imported("matplotlib", where, "says %pylab")
        elif name in {"run", "load"} and word:
            self.seen.scripts += [w for w in text.split() if w.endswith((".py", ".ipynb"))][:1]
        elif name in {"time", "timeit", "prun"}:
            self.body(parsed.of(re.sub(r"^(-\w+(\s+\d+)?\s+)*", "", text))[1].body, where)
        elif "://" in text:
            self.seen.uses.append(Use((f"%{name}",), True, tuple(text.split()), (), where))

    def cell_magic(self, name: str, line: str, body: str, where: Where) -> None:
        """Take in a cell magic with the rest of its line and what is below."""
        if name in parsed.PYTHON_BODY_MAGICS:
            self.body(parsed.of(body)[1].body, where)
        elif name in {"writefile", "file"} and line.split():
            path = line.split()[-1]
            if path.endswith(".py"):
                self.seen.written[path] = parsed.of(body)[1]
        elif name in {"bash", "sh", "system", "sx", "!"}:
            for command in body.splitlines():
                self._shell(command, where)
        elif name in CELL_MAGICS:
            self._imported(CELL_MAGICS[name], where, f"says %%{name}")
        elif "://" in line:
            self.seen.uses.append(Use((f"%{name}",), True, tuple(line.split()), (), where))

    def _shell(self, text: str, where: Where) -> None:
        """Note what a shell command has this Python run: a script, or a module."""
        for found in re.finditer(
            r"(?:^|[;&|]\s*)(?:python3?|\{sys\.executable\})\s+(?:-[uBOE]\s+)*"
            r"(?:-m\s+(?P<module>[A-Za-z_][\w.]*)|(?P<script>[\w./-]+\.py)\b)",
            text,
        ):
            if found["script"]:
                self.seen.scripts.append(found["script"])
            elif found["module"] != "pip":
                self._imported(found["module"], where, f"runs python -m {found['module']}")


def _own(node: ast.AST) -> list[ast.AST]:
    """Return the expressions of a statement that are not part of a statement inside of it."""
    if isinstance(node, ast.expr):
        return [node]
    inside = (ast.stmt, ast.ExceptHandler, ast.match_case)
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, inside)]


def _chain(node: ast.AST) -> tuple[str, ...]:
    """Return the names of ``a.b.c``; the first is empty where it is no name (``f().b``)."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        names.append(node.id)
    elif isinstance(node, ast.Call) and _chain(node.func) == ("get_ipython",):
        names.append("get_ipython")
    else:
        names.append("")
    return tuple(reversed(names))


def _text(node: ast.AST) -> str:
    """Return the text that an expression is, as far as it is written there (see ``Use``)."""
    if isinstance(node, ast.Constant):
        known = isinstance(node.value, str | bool)
        return str(node.value) if known else ""
    if isinstance(node, ast.Name):
        return f"${node.id}"
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(v) if isinstance(v, ast.Constant) else "\0" for v in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
        left, right = _text(node.left), _text(node.right)
        left = left if left and left[0] != "$" else "\0"
        return left + (right if right and right[0] != "$" else "\0")
    if isinstance(node, ast.Call) and _chain(node.func)[-1] in {"Path", "join", "str", "abspath"}:
        return _text(node.args[-1]) if node.args else ""
    return ""


def _bound(test: ast.expr) -> tuple[Callable[[Any, Any], bool], tuple[int, ...]] | None:
    """Return how a test bounds Python's version, if that is what it does."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    compare = COMPARE.get(type(test.ops[0]))
    if compare is None or not ast.unparse(test.left).startswith("sys.version_info"):
        return None
    try:
        version = ast.literal_eval(test.comparators[0])
    except (ValueError, TypeError):
        return None
    is_version = isinstance(version, tuple) and all(isinstance(n, int) for n in version)
    return (compare, version) if is_version else None


def _suppresses(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and _chain(node.func)[-1] == "suppress"
        and any(_chain(argument)[-1] in IMPORT_ERRORS for argument in node.args)
    )


def _catches_import_error(node: ast.Try | ast.TryStar) -> bool:
    return any(
        handler.type is None
        or any(isinstance(n, ast.Name) and n.id in IMPORT_ERRORS for n in ast.walk(handler.type))
        for handler in node.handlers
    )
