"""A plan as one readable Python module: a function for each step, and ``main()``."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from jupyter_mlops.errors import NotebookError, shown
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.parsed import unwarned
from jupyter_mlops.pipeline.export import arguments
from jupyter_mlops.pipeline.export.futures import FUTURE, without_future
from jupyter_mlops.pipeline.export.hoisting import Hoisted, hoist, shadowed
from jupyter_mlops.pipeline.export.layout import (
    WIDTH,
    call,
    cells_text,
    docstring,
    function_name,
    indented,
)
from jupyter_mlops.pipeline.export.signatures import Signature, signatures
from jupyter_mlops.pipeline.export.sources import Sources, shows, sources
from jupyter_mlops.pipeline.names import BUILTINS
from jupyter_mlops.pipeline.plan import Plan, PlannedStep

DISPLAY = "from IPython.display import display"


def to_module(notebook: Notebook, plan: Plan) -> str:
    """Return a module that computes what the notebook computes.

    Each step is a function of what it needs, ``main()`` calls them in order and takes the
    parameters. Where functions would not mean the same (names looked up by text, ``global``, and
    the like) the cells stand at the top level, in order, and the docstring says why.

    Raises ``NotebookError`` for magics and shell lines that have no plain form, and for cells
    that are no Python when they stand in one file.
    """
    found = sources(notebook)
    names = [each.name for each in found.parameters]
    bodies = [found.bodies[cell.number] for cell in notebook.cells]
    hoisted = hoist(bodies, found.flow, frozenset(names))
    steps = [step.cells for step in plan.steps]
    described, reasons = signatures(steps, found.bodies, hoisted, found.flow, names, found.cell)
    reasons = [*found.reasons, *reasons, *_shadowing(found)]
    if not reasons:
        text = _Functions(notebook, plan, found, hoisted, described).text()
        why = _not_python(text)
        if not why:
            return text
        reasons = [f"as functions they would be no Python: {why}"]
    text = _flat(notebook, plan, found, reasons)
    why = _not_python(text)
    if why:
        raise NotebookError(
            "The cells cannot become one module",
            why=f"Each is Python, but one after another they are not: {why}",
            remedy="Export a folder of notebooks instead: jupyter mlops export",
            where=notebook.path.name,
        )
    return text


def _not_python(text: str) -> str:
    """Return why Python does not take a module, or nothing."""
    try:
        with unwarned():
            compile(text, "<module>", "exec")
    except SyntaxError as error:
        return f"{shown(error.msg, 200)} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError):
        return "it is too long or too deep"
    return ""


def _shadowing(found: Sources) -> list[str]:
    names = shadowed(list(found.bodies.values()), {each.name for each in found.parameters})
    return [f"the notebook binds the built-in name {', '.join(names)}"] if names else []


def _about(notebook: Notebook, plan: Plan) -> list[str]:
    lines = [f"{notebook.title}."] if notebook.title[-1:] not in ".!?" else [notebook.title]
    if notebook.description:
        lines += ["", *textwrap.wrap(notebook.description, WIDTH)]
    steps = ", ".join(step.name for step in plan.steps)
    made = f"Made by jupyter mlops from {shown(notebook.path.name, 200)}. Steps: {steps}."
    return [*lines, "", *textwrap.wrap(made, WIDTH, break_on_hyphens=False)]


class _Functions:
    """Writes a module of functions."""

    def __init__(
        self,
        notebook: Notebook,
        plan: Plan,
        found: Sources,
        hoisted: Hoisted,
        described: Sequence[Signature],
    ) -> None:
        self._notebook = notebook
        self._plan = plan
        self._found = found
        self._hoisted = hoisted
        self._described = described
        taken = {*BUILTINS, *found.names, *hoisted.names, *(p.name for p in found.parameters)}
        taken |= {"argparse", "copy", "json", "os", "pathlib", "subprocess"}
        self._main = function_name("main", taken)
        self._parser = function_name("parser", taken)
        self._names = [function_name(step.name, taken) for step in plan.steps]

    def text(self) -> str:
        """Return the module."""
        bodies = [self._body(signature) for signature in self._described]
        functions = [
            self._function(step, signature, name, body)
            for step, signature, name, body in zip(
                self._plan.steps, self._described, self._names, bodies, strict=True
            )
            if body
        ]
        calls = [
            (name, signature)
            for name, signature, body in zip(self._names, self._described, bodies, strict=True)
            if body
        ]
        parts = [
            docstring(_about(self._notebook, self._plan)) + "\n\n" + "\n".join(self._imports()),
            "\n".join(self._hoisted.constants),
            *self._hoisted.definitions,
            *functions,
            self._main_function(calls),
            self._command(),
        ]
        return "\n\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"

    def _imports(self) -> list[str]:
        own = list(self._hoisted.imports)
        future = [line for line in own if line.startswith(FUTURE)]
        needed = set(self._found.modules)
        if self._found.parameters:
            needed |= arguments.modules(self._found.parameters)
        if any(arguments.is_shared(each) for each in self._found.parameters):
            needed.add("copy")
        if shows(self._found.texts, self._found.names):
            own.append(DISPLAY)
        standard = [f"import {name}" for name in sorted(needed) if f"import {name}" not in own]
        rest = [line for line in own if line not in future]
        blocks = ["\n".join(block) for block in (future, standard, rest) if block]
        return ["\n\n".join(blocks)] if blocks else []

    def _body(self, signature: Signature) -> str:
        """Return a step's own code, without what stands at the top; empty if nothing is left."""
        parts = []
        for cell in signature.cells:
            body = self._found.bodies[cell]
            taken = self._hoisted.taken.get(cell, set())
            text = body.without(taken).strip("\n")
            if taken and len(taken) == len(body.statements):
                continue
            if text.strip() and body.statements:
                parts.append((cell, text))
        if not parts:
            return ""
        several = len(parts) > 1
        return "\n\n".join(f"# cell {cell}\n{text}" if several else text for cell, text in parts)

    def _function(self, step: PlannedStep, signature: Signature, name: str, body: str) -> str:
        given = signature.outputs or signature.results
        returns = " -> tuple" if len(given) > 1 else "" if given else " -> None"
        said = step.title or step.name.replace("-", " ").capitalize()
        head = docstring([f"{said[:1].upper()}{said[1:]} ({cells_text(step.cells)})."])
        parts = [call(f"def {name}", signature.inputs, f"{returns}:"), indented(head)]
        parts += [f"    {name} = None  # it is set below, if at all" for name in signature.unset]
        parts.append(indented(body))
        if given:
            parts.append(f"    return {', '.join(given)}")
        return "\n".join(parts)

    def _main_function(self, calls: Sequence[tuple[str, Signature]]) -> str:
        heads = [arguments.annotated(each) for each in self._found.parameters]
        lines = [
            call(f"def {self._main}", heads, " -> dict:"),
            '    """Run every step, in the order of the notebook, and return its results."""',
        ]
        for each in self._found.parameters:
            if arguments.is_shared(each):
                lines.append(f"    {each.name} = copy.deepcopy({each.name})")
        results: dict[str, None] = {}
        for name, signature in calls:
            given = signature.outputs or signature.results
            target = f"{', '.join(given)} = " if given else ""
            lines.append(call(f"{target}{name}", signature.inputs, "", depth=1))
            results.update(dict.fromkeys(signature.results))
        pairs = [f'"{name}": {name}' for name in results]
        line = f"    return {{{', '.join(pairs)}}}"
        if len(line) > WIDTH:
            line = "    return {\n" + "".join(f"        {pair},\n" for pair in pairs) + "    }"
        return "\n".join([*lines, line])

    def _command(self) -> str:
        head = 'if __name__ == "__main__":'
        if not self._found.parameters:
            return f"{head}\n    {self._main}()"
        lines = arguments.parser(self._found.parameters, self._parser)
        return "\n".join([head, *lines, f"    {self._main}(**vars({self._parser}.parse_args()))"])


def _flat(notebook: Notebook, plan: Plan, found: Sources, reasons: Sequence[str]) -> str:
    """Return the cells in order, at the top level of a module."""
    why = "Its cells stand in order, not in functions: " + "; ".join(reasons) + "."
    lines = [*_about(notebook, plan), "", *textwrap.wrap(why, WIDTH, break_on_hyphens=False)]
    texts = dict(found.texts)
    if found.parameters:
        texts[found.cell] = "\n\n".join([found.head, _overrides(found), found.behind]).strip()
    future, texts = without_future(texts)
    modules = [f"import {name}" for name in sorted(found.modules)]
    if shows(found.texts, found.names):
        modules.append(DISPLAY)
    parts = [docstring(lines), "\n".join(future), "\n".join(modules)]
    for step in plan.steps:
        title = f"{step.name}: {step.title}" if step.title else step.name
        parts.append(f"# %% {title} ({cells_text(step.cells)})")
        parts += [texts[cell] for cell in step.cells]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _overrides(found: Sources) -> str:
    """Return the lines by which the command line sets the parameters."""
    imports = [f"    import {name}" for name in sorted(arguments.modules(found.parameters))]
    lines = [*imports, "", *arguments.parser(found.parameters, "_parser")]
    lines.append("    _given = _parser.parse_args()")
    lines += [f"    {each.name} = _given.{each.name}" for each in found.parameters]
    return "\n".join(['if __name__ == "__main__":', *lines])
