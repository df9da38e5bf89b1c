"""Which programs a notebook's code calls: by a shell, by ``subprocess``, or through a library."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jupyter_mlops import parsed
from jupyter_mlops.environment.system import known, shell
from jupyter_mlops.environment.system.scope import Scope

#: The first argument is the command: a list, or a text where ``shell=True``.
_RUNS = frozenset(f"subprocess.{name}" for name in "run call check_call check_output Popen".split())
#: The first argument is shell text.
_SHELLS = frozenset(
    """
    os.system os.popen subprocess.getoutput subprocess.getstatusoutput pexpect.spawn pexpect.run
    asyncio.create_subprocess_shell asyncio.subprocess.create_subprocess_shell
    """.split()
)
#: The first argument is a program, each argument one word of the command.
_STARTS = frozenset(
    """
    os.execvp os.execlp os.execvpe os.execlpe os.execv os.execl os.execve os.posix_spawnp
    asyncio.create_subprocess_exec asyncio.subprocess.create_subprocess_exec sh.Command
    """.split()
)
#: The second argument is a program.
_SPAWNS = frozenset("os.spawnvp os.spawnlp os.spawnvpe os.spawnlpe os.spawnv os.spawnl".split())
#: They only ask whether a program is there.
_ASKS = frozenset("shutil.which distutils.spawn.find_executable".split())
_SHELL_MAGICS = frozenset("bash sh script system sx ! zsh".split())
_CAUGHT = frozenset(
    """
    FileNotFoundError OSError IOError PermissionError Exception BaseException SubprocessError
    CalledProcessError
    """.split()
)
#: Not looked for in an image: they manage packages, or belong to the machine that runs it.
_NOT_WANTED = frozenset(
    """
    python python3 pip pip3 conda mamba micromamba uv apt apt-get apt-cache dpkg apk yum dnf brew
    snap sudo su systemctl service nvidia-smi nvcc nvidia-settings rocm-smi docker podman kubectl
    squeue sbatch srun open start xdg-open jupyter ipython module
    """.split()
)


@dataclass(frozen=True, order=True)
class Called:
    """A program or library that a cell needs; ``by`` is the library that does, empty for code.

    ``sure`` is false where the code does without: it only asks for it, catches its absence, or
    uses a part of a library that may not need it. Several ``names`` are choices.
    """

    cell: int
    names: tuple[str, ...]
    by: str = ""
    sure: bool = True


def find(cells: Sequence[tuple[int, str, ast.Module]]) -> list[tuple[str, int]]:
    """Return the programs that cells (number, source, tree) call, each with its first cell."""
    found: dict[str, int] = {}
    for called in calls(cells):
        if ".so" not in called.names[0]:
            found.setdefault(called.names[0], called.cell)
    return list(found.items())


def calls(cells: Sequence[tuple[int, str, ast.Module]]) -> list[Called]:
    """Return what cells (number, source, tree) call, and what the libraries they use call.

    A program that several cells call is there once for each. What only a run knows (a name in a
    variable) is left out.
    """
    trees = [(number, _tree(source)) for number, source, _ in cells]
    scope = Scope()
    for _, tree in trees:
        scope.learn(tree)
    found: dict[Called, None] = {}
    for number, tree in trees:
        for called in _Cell(number, scope).calls(tree):
            if not set(called.names) & _NOT_WANTED:
                found[called] = None
    return _surest(found)


def _tree(source: str) -> ast.Module:
    """Return a cell with its magics as calls; of ``%%time`` and the like, the body as code."""
    python, tree, _ = parsed.of(source)
    return tree if python else parsed.with_magics(source)


def _surest(found: Iterable[Called]) -> list[Called]:
    """Return each once: what is needed for sure hides that it may be needed too."""
    best: dict[tuple[int, tuple[str, ...]], Called] = {}
    for called in found:
        before = best.get((called.cell, called.names))
        if before is None or (called.sure, not called.by) > (before.sure, not before.by):
            best[called.cell, called.names] = called
    return list(best.values())


class _Cell:
    """The calls of one cell."""

    def __init__(self, number: int, scope: Scope) -> None:
        self._number, self._scope = number, scope

    def calls(self, tree: ast.Module) -> Iterator[Called]:
        """Yield what the cell calls, in the order of its code."""
        yield from self._within(tree, True)

    def _within(self, node: ast.AST, sure: bool) -> Iterator[Called]:
        for child in parsed.children(node):
            if isinstance(child, ast.Try) and _is_caught(child):
                for statement in child.body:
                    yield from self._at(statement, False)
                for part in (*child.handlers, *child.orelse, *child.finalbody):
                    yield from self._at(part, sure)
            elif isinstance(child, ast.If) and self._asks(child.test):
                yield from self._at(child.test, False)
                for part in (*child.body, *child.orelse):
                    yield from self._at(part, False)
            else:
                yield from self._at(child, sure)

    def _at(self, node: ast.AST, sure: bool) -> Iterator[Called]:
        if isinstance(node, ast.Call):
            name = self._scope.dotted(node.func)
            yield from self._called(node, name, sure)
        for need in known.needed(node, self._scope):
            yield Called(self._number, need.names, need.by, sure and need.sure)
        yield from self._within(node, sure)

    def _asks(self, test: ast.expr) -> bool:
        return any(
            isinstance(node, ast.Call) and self._scope.dotted(node.func) in _ASKS
            for node in ast.walk(test)
        )

    def _called(self, node: ast.Call, name: str, sure: bool) -> Iterator[Called]:
        arguments = {keyword.arg: keyword.value for keyword in node.keywords}
        first = node.args[0] if node.args else arguments.get("args") or arguments.get("cmd")
        if name.startswith(".") and _is_ipython(node.func):
            yield from self._ipython(node, sure)
        elif first is None:
            return
        elif name in _RUNS:
            yield from self._run(first, arguments, sure)
        elif name in _SHELLS:
            yield from self._shell(self._scope.texts.of(first), sure)
        elif name in _STARTS or name in _ASKS:
            yield from self._programs(self._scope.texts.of(first), sure and name not in _ASKS)
        elif name in _SPAWNS and len(node.args) > 1:
            yield from self._programs(self._scope.texts.of(node.args[1]), sure)

    def _run(
        self, command: ast.expr, arguments: Mapping[str | None, ast.expr], sure: bool
    ) -> Iterator[Called]:
        flag = arguments.get("shell")
        if flag is None or (isinstance(flag, ast.Constant) and not flag.value):
            yield from self._programs(self._scope.texts.words(command), sure)
        else:
            yield from self._shell(self._scope.texts.of(command), sure)

    def _ipython(self, node: ast.Call, sure: bool) -> Iterator[Called]:
        """Yield what magics and shell lines call, as IPython makes function calls of them."""
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        texts = [each.value if isinstance(each, ast.Constant) else "" for each in node.args]
        words = [text if isinstance(text, str) else "" for text in texts]
        if method in ("system", "getoutput") and words:
            yield from self._shell(words[:1], sure)
        elif method == "run_line_magic" and len(words) == 2 and words[0] in _SHELL_MAGICS:
            yield from self._shell(words[1:], sure)
        elif method == "run_cell_magic" and len(words) == 3 and words[0] in _SHELL_MAGICS:
            yield from self._cell_magic(words[0], words[1], words[2], sure)

    def _cell_magic(self, name: str, line: str, body: str, sure: bool) -> Iterator[Called]:
        program = name
        if name == "script":
            program = next((word for word in line.split() if not word.startswith("-")), "")
        if program in ("bash", "sh", "zsh", "perl", "ruby", "node") or name == "script":
            yield from self._programs([program], sure)
        if program in ("bash", "sh", "zsh", "system", "sx", "!"):
            yield from self._shell([body], sure)

    def _shell(self, texts: Iterable[str], sure: bool) -> Iterator[Called]:
        for text in texts:
            # IPython puts values of Python there: ``{name}`` and ``$name`` are no programs.
            for name in shell.programs(text):
                yield Called(self._number, (name,), "", sure)

    def _programs(self, texts: Iterable[str], sure: bool) -> Iterator[Called]:
        for text in texts:
            for name in shell.programs(text.replace("\n", " "))[:1]:
                yield Called(self._number, (name,), "", sure)


def _is_ipython(function: ast.expr) -> bool:
    """Tell a method of ``get_ipython()``."""
    value = function.value if isinstance(function, ast.Attribute) else function
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "get_ipython"


def _is_caught(node: ast.Try) -> bool:
    return any(
        handler.type is None
        or any(
            (each.id if isinstance(each, ast.Name) else getattr(each, "attr", "")) in _CAUGHT
            for each in ast.walk(handler.type)
        )
        for handler in node.handlers
    )
