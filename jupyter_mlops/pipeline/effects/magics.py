"""What lines for IPython and the shell do, and what files code reads and writes."""

from __future__ import annotations

import ast
import fnmatch
import importlib
import posixpath
import re
import sys
from collections.abc import Mapping, Sequence

from jupyter_mlops import parsed
from jupyter_mlops.pipeline.effects import shell
from jupyter_mlops.pipeline.effects.calls import Calls
from jupyter_mlops.pipeline.effects.flow import DefinitionText
from jupyter_mlops.pipeline.effects.heap import ATOM, Obj, Value, reach
from jupyter_mlops.pipeline.effects.paths import path_text
from jupyter_mlops.pipeline.effects.world import Binding

#: Line magics that set the session up: they are repeated in every step.
SETUP = frozenset(
    """
    matplotlib config load_ext reload_ext autoreload precision colors xmode
    """.split()
)
#: Line magics that change nothing that a run could see.
HARMLESS = frozenset(
    """
    pip conda mamba uv pwd ls ll whos who who_ls lsmagic history hist pdoc pinfo pinfo2
    psource pycat cat head tail page magic quickref notebook rehashx dhist timeit prun memit
    mprun lprun mlops_publish mlops_capture mlops_step alias doctest_mode debug pdb tb sx_ env_
    """.split()
)
#: Cell magics whose body is for display.
DISPLAYED = frozenset(
    """
    html HTML markdown latex svg javascript js
    """.split()
)
SHELLS = frozenset(
    """
    bash sh script system sx ! zsh
    """.split()
)
#: What they are given is called by Python or IPython at any time from then on.
HOOKS = (".events.register", "sys.settrace", "sys.setprofile", "sys.addaudithook",
         "threading.settrace", "threading.setprofile", "signal.signal", "gc.callbacks.append",
         "weakref.finalize", "codecs.register", "codecs.register_error", "atexit.register",
         "register_dataframe_accessor", "register_series_accessor", "register_index_accessor",
         ".ast_transformers.append", ".input_transformers_cleanup.append",
         ".input_transformers_post.append", ".set_custom_exc", ".set_hook")  # fmt: skip
#: The state of an interpreter that calls a cell's functions.
HOOKED = "<module:interpreter>"
HOOK_ENDS = frozenset(name.rpartition(".")[2] for name in HOOKS)
#: An address on the network, also after it was taken for a path; no drive has two letters.
_URL = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:/")
#: Modules that may be imported to learn what a star import binds.
STAR_SAFE = frozenset(
    """
    math cmath statistics itertools functools operator collections string random datetime
    time os os.path re json typing fractions decimal numbers pathlib dataclasses enum copy
    """.split()
)


class Magics(Calls):
    """Magics, shell lines, star imports and files; a part of the interpreter."""

    def call(self, node: ast.Call, bare: bool = False) -> Value:
        """Interpret a call, or what IPython makes of a magic line."""
        function = node.func
        if not isinstance(function, ast.Attribute):
            return super().call(node, bare)
        if function.attr in HOOK_ENDS:
            self._hooked(node)
        texts = _ipython_call(node, function.value)
        if texts is None:
            return super().call(node, bare)
        name = function.attr
        if name in ("system", "getoutput", "system_raw", "getoutput_raw"):
            self.run_shell(texts[0] if texts else "")
            return self.new("list") if name.startswith("getoutput") else ATOM
        if name == "run_line_magic" and len(texts) == 2:
            return self._line(texts[0], texts[1])
        if name == "run_cell_magic" and len(texts) == 3:
            return self._cell(*texts)
        if name in ("set_next_input", "enable_gui", "show_usage"):
            return ATOM
        if name in ("magic", "run_cell", "ex", "ev"):
            return self.run_text(texts[0]) if texts and "%" not in texts[0] else ATOM
        return super().call(node, bare)

    def _hooked(self, node: ast.Call) -> None:
        """Note a function that is called at any time from now on."""
        if not parsed.dotted(node.func).endswith(HOOKS):
            return
        given = [obj for argument in node.args for obj in self.evaluate(argument).objs]
        self.hook(reach(given, through=lambda obj: obj.kind != "module"))

    def run_hooks(self) -> None:
        """Have the functions called that earlier cells asked for, at the start of a cell."""
        for cell, functions in self.world.hooks:
            self.flow.uses.setdefault(HOOKED, set()).update((cell, self.number - 1))
            with self.maybe():
                for obj in functions:
                    if obj.kind == "function":
                        self.call_function(obj, [], {}, unknown=ATOM)
                    else:
                        self.recorder.change([obj], deep=True)

    # --- line magics ----------------------------------------------------------------------
    def _line(self, name: str, text: str) -> Value:
        if name in SETUP:
            self.flow.definitions.append(
                DefinitionText(self.number, (), f"%{name} {text}".rstrip())
            )
            self.recorder.touch("<display>")
            if name == "matplotlib":
                self.recorder.touch("<rcParams>")
            return ATOM
        if name in ("time", "capture"):
            return self.run_text(text) if name == "time" else ATOM
        if name in ("timeit", "prun", "memit"):
            code = re.sub(r"^(-\w+(\s+\d+)?\s+)*", "", text)
            with self.maybe():
                self.run_text(code)
            self.flow.varies.add(f"it reads the clock (%{name})")
            return ATOM
        if name in ("env", "set_env"):
            self.recorder.touch("<environ>")
            self._interpolated(text)
            return ATOM
        if name in ("cd", "pushd", "popd"):
            self.recorder.touch("<cwd>", replace=name == "cd" and not self.weak)
            return ATOM
        if name == "mlops_log":
            self._logged(text)
            return ATOM
        if name in ("pinfo", "pinfo2", "pdoc", "psource", "pfile", "pdef"):
            root = re.match(r"\w+", text.strip("? "))
            if root is not None and root.group() in self.world.names:
                self.load(root.group())
            return ATOM
        if name in HARMLESS:
            if name in ("timeit", "who", "whos", "who_ls"):
                self.flow.varies.add(f"it lists names (%{name})")
            return ATOM
        if name in ("system", "sx", "!"):
            self.run_shell(text)
            return self.new("list")
        if name == "run":
            path = text.split()[-1] if text.split() else None
            self.file("in", posixpath.normpath(path) if path else None)
        self.barrier(f"%{name} may do anything")
        return self.new("unknown")

    def _logged(self, text: str) -> None:
        for name in re.findall(r"[A-Za-z_]\w*(?!\w*\s*=[^=])", text):
            if name in self.world.names:
                self.load(name)

    def _interpolated(self, text: str) -> None:
        """Note the names that ``$name`` and ``{expression}`` in a shell line read."""
        for name in re.findall(r"(?<!\$)\$([A-Za-z_]\w*)", text):
            if name in self.world.names:
                self.load(name)
        for code in re.findall(r"\{([^{}]+)\}", text):
            try:
                with parsed.unwarned():
                    tree = ast.parse(code.strip(), mode="eval")
                self.evaluate(tree.body)
            except (SyntaxError, ValueError):
                continue

    # --- cell magics ----------------------------------------------------------------------
    def _cell(self, name: str, line: str, body: str) -> Value:
        if name in ("time", "capture", "prun"):
            self._python_body(name, line, body)
        elif name == "timeit":
            with self.maybe():
                self.run_text(body)
            self.flow.varies.add("it reads the clock (%%timeit)")
        elif name in SHELLS:
            self.run_shell(body)
        elif name in ("writefile", "file"):
            words = line.split()
            append = "-a" in words
            self.file(
                "change" if append else "out", posixpath.normpath(words[-1]) if words else None
            )
        elif name in DISPLAYED or name == "mlops_step":
            if name == "mlops_step":
                self._python_body(name, line, body)
        else:
            self._interpolated(body)
            self.barrier(f"%%{name} may do anything")
        return ATOM

    def _python_body(self, name: str, line: str, body: str) -> None:
        try:
            tree = parsed.tree_of(parsed.plain_python(body))
        except (SyntaxError, ValueError):
            self.barrier(f"the body of %%{name} is not valid Python")
            return
        for statement in tree.body:
            self.execute(statement)
        if name == "capture":
            words = [word for word in line.split() if not word.startswith("-")]
            if words:
                self.bind(words[0], self.new("unknown"))

    def run_shell(self, text: str) -> None:
        """Note what shell commands read and write."""
        self._interpolated(text)
        unsteady = shell.unsteady(text)
        if unsteady:
            self.flow.varies.add(f"a shell command may give something else each time ({unsteady})")
        for mode, path in shell.effects(text):
            if mode == "environ":
                if "<environ>" in self.world.states:
                    self.recorder.read("<environ>")
            else:
                self.file(mode, path)

    # --- imports --------------------------------------------------------------------------
    def import_module(self, name: str) -> None:
        """Note what importing reads: the search path, and a file that a cell may have written."""
        if "<sys.path>" in self.world.states:
            self.recorder.read("<sys.path>")
        path = name.lstrip(".").partition(".")[0] + ".py"
        if path in self.world.files:
            self.file("in", path)

    def star_import(self, module: str) -> None:
        """Bind what ``from module import *`` binds; where that is unknown, anything."""
        homes = self.star_homes(module)
        if homes is not None:
            for name, home in homes.items():
                self.bind(name, self.as_value(self.world.module(home)))
            return
        self.flow.note(f"from {module} import * may bind any name")
        self.flow.may_bind.add("*")
        obj = self.world.module(module)
        for name, old in list(self.world.names.items()):
            if old.text is None or old.text.cell != self.number:
                both = Value(old.value.objs | {obj})
                self.world.names[name] = Binding(both, old.cells | {self.number}, old.text)
        self.world.open_cells.append((self.number, f"from {module} import *"))
        self.world.open_stars.append(module)

    def star_homes(self, module: str) -> Mapping[str, str] | None:
        """Return what a star import binds, each name with where it comes from, if it is known."""
        file = module.partition(".")[0] + ".py"
        if file in self.world.files or "<sys.path>" in self.world.states:
            return None  # another module may be meant when the cell runs
        known = self.world.stars.get(module)
        if known is not None:
            return known
        names = star_names(module)
        return None if names is None else {name: f"{module}.{name}" for name in names}

    # --- files ----------------------------------------------------------------------------
    def open_file(self, arguments: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
        """Handle ``open(path, mode)``: the handle stands for the file."""
        target = arguments[0] if arguments else keywords.get("file", ATOM)
        given = arguments[1] if len(arguments) > 1 else keywords.get("mode")
        text = "r" if given is None else given.const
        mode = "change"
        if isinstance(text, str):
            if "w" in text or "x" in text:
                mode = "out"
            elif "a" not in text and "+" not in text:
                mode = "in"
        path = path_text(target)
        self.file(mode, path)
        handle = self.new("file")
        if mode != "in":
            for obj in handle.objs:
                obj.hold([self.file_obj(path)])
        return handle

    def file(self, mode: str, path: str | None) -> None:
        """Note that a file is read ("in"), written ("out") or both ("change")."""
        if path is not None and _URL.match(path):
            self.flow.varies.add(f"it uses the network ({path})")
        if "<cwd>" in self.world.states and (path is None or not posixpath.isabs(path)):
            self.recorder.read("<cwd>")
        flow = self.flow
        if mode in ("in", "change"):
            self._file_read(path)
            if path is None or path not in flow.files_out:
                flow.files_in.add("*" if path is None else path)
        if mode in ("out", "change"):
            obj = self.file_obj(path)
            key = f"<file:{path}>" if path is not None else "<files>"
            if obj.last and obj.last != self.number and (path is None or mode == "change"):
                flow.uses.setdefault(key, set()).add(obj.last)
            obj.last = self.number
            flow.touches.add(key)
            flow.files_out.add("*" if path is None else path)

    def file_obj(self, path: str | None) -> Obj:
        """Return the object that stands for what is in a file."""
        key = path if path is not None else "*"
        found = self.world.files.get(key)
        if found is None:
            found = self.world.files[key] = Obj("file-content", 0, key)
            found.names.add(f"<file:{path}>" if path is not None else "<files>")
        return found

    def _file_read(self, path: str | None) -> None:
        for key, obj in self.world.files.items():
            related = (
                path is None
                or key in (path, "*")
                or path.startswith(key + "/")
                or fnmatch.fnmatch(key, path)
                or key.startswith(path + "/")
            )
            if related and obj.last and obj.last != self.number:
                name = f"<file:{key}>" if key != "*" else "<files>"
                self.flow.uses.setdefault(name, set()).add(obj.last)


def star_names(module: str) -> list[str] | None:
    """Return what a star import of a standard module binds, ``None`` when it is not known."""
    if module not in STAR_SAFE or module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    loaded = importlib.import_module(module)
    public = getattr(loaded, "__all__", None)
    return list(public) if public else [n for n in vars(loaded) if not n.startswith("_")]


def _ipython_call(node: ast.Call, owner: ast.expr) -> list[str] | None:
    """Return the constant arguments of ``get_ipython().method('…')``; ``None`` of other calls."""
    if (
        isinstance(owner, ast.Call)
        and isinstance(owner.func, ast.Name)
        and owner.func.id == "get_ipython"
    ):
        return [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
    return None
