"""The text of a cell as Python that needs no IPython; what cannot be said so is refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jupyter_mlops.errors import Problem, shown
from jupyter_mlops.notebook import Cell
from jupyter_mlops.parsed import TOO_DEEP, plain_python, tree_of, unwarned

#: Line magics that a plain script does without: they become comments.
_COMMENTED = frozenset(
    """
    matplotlib config load_ext reload_ext autoreload precision colors xmode pip conda mamba uv
    pwd ls ll whos who who_ls lsmagic history hist pdoc pinfo pinfo2 psource cat head tail page
    magic quickref notebook dhist timeit prun memit mprun lprun mlops_publish mlops_log
    mlops_capture
    """.split()
)
_DISPLAYED = frozenset("html HTML markdown latex svg javascript js".split())
_SHELLS = {"bash": "bash", "sh": "sh", "zsh": "zsh", "!": "bash", "sx": "bash", "system": "bash"}
_INSTALL = re.compile(r"\s*(?:uv\s+)?(?:pip3?|conda|mamba)\s")
_SHOWN_CALLS = frozenset("head tail describe sample value_counts".split())
_SHOWN = (ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.Compare, ast.Tuple, ast.JoinedStr)


@dataclass
class Plain:
    """Plain Python, the modules it needs besides its own imports, and what is in the way."""

    text: str
    modules: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


class _Refused(Exception):
    def __init__(self, why: str) -> None:
        self.why = why


def plain(cell: Cell, names: frozenset[str]) -> Plain:
    """Return a cell as plain Python; ``names`` are all names that the notebook binds."""
    result = Plain("")
    if cell.syntax_error:
        why = cell.syntax_error
        deep = why == TOO_DEEP
        result.problems.append(_problem(cell, why if deep else f"it is not valid Python: {why}"))
        return result
    try:
        result.text = _Translation(result, names).of(cell.source).strip("\n")
        if _awaits(tree_of(result.text)):
            raise _Refused("it awaits something outside of a function")
        with unwarned():
            compile(result.text, cell.where, "exec")
    except _Refused as refused:
        result.problems.append(_problem(cell, refused.why))
    except (RecursionError, MemoryError):
        result.problems.append(_problem(cell, TOO_DEEP))
    except (SyntaxError, ValueError) as error:
        why = shown(getattr(error, "msg", "") or error, 200)
        result.problems.append(_problem(cell, f"it is not valid Python: {why}"))
    return result


def _problem(cell: Cell, why: str) -> Problem:
    return Problem(
        problem="The cell cannot become plain Python",
        why=f"A module runs without IPython, and {why}",
        remedy="Write it in Python, or export a folder of notebooks: jupyter mlops export",
        where=cell.where,
    )


class _Translation:
    """Puts Python in the place of magics and shell lines."""

    def __init__(self, result: Plain, names: frozenset[str]) -> None:
        self._modules = result.modules
        self._names = names

    def of(self, source: str) -> str:
        """Return the plain text of a cell's source."""
        found = re.match(r"\s*%%(\S+)[ \t]*([^\n]*)\n?", source)
        if not found:
            return self._lines(source)
        name, line, body = found[1], found[2].strip(), source[found.end() :]
        if name == "mlops_step":
            return self._lines(body)
        if name in ("time", "prun") or (name == "capture" and not _words(line)):
            return f"# %%{name} {line}".rstrip() + "\n" + self._lines(body)
        if name in _DISPLAYED or name == "timeit":
            return _commented(source)
        if name in _SHELLS:
            return f"{self._run([_SHELLS[name], '-c', self._shell(body)])}"
        if name in ("writefile", "file") and _words(line):
            return self._file(line, body)
        raise _Refused(f"%%{shown(name)} is a magic of IPython")

    def _file(self, line: str, body: str) -> str:
        self._need("pathlib")
        path, append = _words(line)[-1], "-a" in line.split()
        mode = '"a"' if append else '"w"'
        opened = f'pathlib.Path({path!r}).open({mode}, encoding="utf-8")'
        return f"with {opened} as _file:\n    _file.write({body!r})"

    def _run(self, command: list[str]) -> str:
        self._need("subprocess")
        return f"subprocess.run({command!r}, check=True)"

    def _shell(self, text: str) -> str:
        """Return a shell text in which IPython would put no values of the notebook."""
        named = set(re.findall(r"(?<!\$)\$\{?([A-Za-z_]\w*)", text)) & self._names
        filled = re.search(r"(?<!\$)\{[^{}]+\}", text)
        if named or filled:
            raise _Refused("a line for the shell holds values of the notebook")
        return text.replace("$$", "$")

    def _need(self, module: str) -> None:
        self._modules.add(module)

    def _lines(self, source: str) -> str:
        """Replace what IPython makes calls of; other text stays letter by letter."""
        text = plain_python(source)
        tree = tree_of(text)
        changes: list[tuple[ast.stmt | ast.expr, str]] = []
        for node, parent in _ipython_calls(tree):
            changes.append(self._replaced(node, parent))
        for change, new in sorted(changes, key=lambda c: -c[0].lineno):
            text = _replace(text, change, new)
        if "get_ipython" in text and _uses(tree_of(text), "get_ipython"):
            raise _Refused("it calls get_ipython()")
        return self._shown(text)

    def _replaced(self, call: ast.Call, parent: ast.AST) -> tuple[ast.stmt | ast.expr, str]:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        texts = [str(a.value) for a in call.args if isinstance(a, ast.Constant)]
        if isinstance(parent, ast.Expr):
            return parent, self._statement(method, texts, nested=parent.col_offset > 0)
        if method == "getoutput" and len(texts) == 1:
            self._need("subprocess")
            line = self._shell(texts[0])
            return call, f"subprocess.getoutput({line!r}).splitlines()"
        raise _Refused(f"it uses what %{shown(texts[0] if texts else method)} returns")

    def _statement(self, method: str, texts: list[str], nested: bool) -> str:
        if method in ("system", "getoutput") and len(texts) == 1:
            if _INSTALL.match(texts[0]):
                return _comment(f"!{texts[0]}", nested)
            self._need("subprocess")
            return f"subprocess.run({self._shell(texts[0])!r}, shell=True, check=False)"
        if method != "run_line_magic" or len(texts) != 2:
            raise _Refused("it calls get_ipython()")
        name, line = texts
        if name in ("time",):
            return line or _comment("%time", nested)
        if name in ("env", "set_env") and "=" in line:
            self._need("os")
            key, _, value = line.partition("=")
            return f"os.environ[{key.strip()!r}] = {self._shell(value.strip())!r}"
        if name == "cd" and line and line[0] != "-":
            self._need("os")
            return f"os.chdir(os.path.expanduser({self._shell(line)!r}))"
        if name in _COMMENTED:
            return _comment(f"%{name} {line}".rstrip(), nested)
        raise _Refused(f"%{shown(name)} is a magic of IPython")

    def _shown(self, text: str) -> str:
        """Print what the notebook would show below the cell, where it is plainly a value."""
        body = tree_of(text).body
        last = body[-1] if body else None
        if not isinstance(last, ast.Expr) or text.rstrip().endswith(";") or "print" in self._names:
            return text
        value = last.value
        called = (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr in _SHOWN_CALLS
        )
        if not called and not isinstance(value, _SHOWN):
            return text
        segment = ast.get_source_segment(text, value)
        if segment and text.rstrip().splitlines()[-1].endswith(segment.splitlines()[-1]):
            return _replace(text, last, f"print({segment})")
        return text


def _words(line: str) -> list[str]:
    return [word for word in line.split() if not word.startswith("-")]


def _comment(text: str, nested: bool) -> str:
    line = " ".join(text.splitlines())
    return f"pass  # {line}" if nested else f"# {line}"


def _commented(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.strip().splitlines())


def _ipython_calls(tree: ast.Module) -> Iterator[tuple[ast.Call, ast.AST]]:
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            if (
                isinstance(child, ast.Call)
                and isinstance(child.func, ast.Attribute)
                and isinstance(child.func.value, ast.Call)
                and isinstance(child.func.value.func, ast.Name)
                and child.func.value.func.id == "get_ipython"
            ):
                yield child, parent


def _uses(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))


def _replace(text: str, node: ast.stmt | ast.expr, new: str) -> str:
    """Put a text in the place of a node; ``ast`` counts columns in UTF-8 bytes."""
    lines = [f"{line}\n" for line in text.split("\n")]
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first].encode()[: node.col_offset].decode()
    tail = lines[last].encode()[node.end_col_offset :].decode()
    lines[first : last + 1] = [head + new + tail]
    return "".join(lines)[:-1]


def _awaits(tree: ast.AST) -> bool:
    """Tell whether a cell needs the notebook's running event loop."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(node, ast.comprehension) and node.is_async:
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return False
