"""A plan as a folder of notebooks that plain papermill runs one after another."""

from __future__ import annotations

import copy
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import runtime
from jupyter_mlops.errors import NotebookError, shown
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import material, parameters
from jupyter_mlops.pipeline.dataflow import Dataflow, analyze
from jupyter_mlops.pipeline.export import arguments
from jupyter_mlops.pipeline.export.beside import needed_files
from jupyter_mlops.pipeline.export.sources import Divided, divide
from jupyter_mlops.pipeline.parameters import Found
from jupyter_mlops.pipeline.plan import Plan, PlannedStep
from jupyter_mlops.pipeline.steps import stripped
from jupyter_mlops.runtime.handover.models import StepSpec
from jupyter_mlops.runtime.parameters import Parameter

_OWN_EXTENSION = re.compile(r"^[ \t]*%(?:re)?load_ext[ \t]+jupyter_mlops[ \t]*$", re.MULTILINE)
_OWN_STEP = re.compile(r"\A\s*%%mlops_step[ \t]+(.*)")
_PACKAGE = "jupyter_mlops.runtime.handover"
_BEGIN = "import handover.step as _handover\n\n_handover.begin({arguments})"
_END = "import handover.step as _handover\n\n_handover.end()"


def export_folder(notebook: Notebook, plan: Plan, folder: Path) -> list[Path]:
    """Write one notebook for each step, and what they need, into a new folder.

    The notebooks need papermill and the notebook's own packages, and nothing of this one. Returns
    the notebooks' paths, in order. Raises ``NotebookError`` when the folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotebookError(
            "The folder to export to is not empty",
            remedy="Choose a new one, or empty it",
            where=str(folder),
        )
    writer = _Writer(notebook, plan)
    was_there = folder.exists()
    try:
        return _write(writer, notebook, plan, folder)
    except BaseException as error:
        _take_back(folder, was_there)
        if isinstance(error, OSError):
            raise NotebookError(
                "The folder cannot be written", why=error.strerror or "", where=str(folder)
            ) from None
        raise


def _take_back(folder: Path, was_there: bool) -> None:
    """Leave the folder as it was: empty, or not there."""
    for path in folder.iterdir() if was_there else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if not was_there:
        shutil.rmtree(folder, ignore_errors=True)


def _write(writer: _Writer, notebook: Notebook, plan: Plan, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = writer.notebooks(folder)
    specs = [msgspec.to_builtins(spec) for spec in writer.specs]
    (folder / "steps.json").write_bytes(msgspec.json.format(msgspec.json.encode(specs)) + b"\n")
    (folder / "README.md").write_text(writer.readme(), encoding="utf-8")
    script = folder / "run.sh"
    script.write_text(writer.script(), encoding="utf-8")
    script.chmod(0o755)
    _copy_handover(folder / "handover")
    for path in needed_files(notebook, plan):
        target = folder / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook.path.parent / path, target)
    return paths


def _copy_handover(folder: Path) -> None:
    """Copy the code of the hand-over; in the copy it needs the standard library only."""
    folder.mkdir()
    here = Path(__file__).parent
    sources = {path.name: path for path in _handover_files()}
    sources |= {"structs.py": here / "structs.py", "step.py": here / "standalone.py"}
    sources["arguments.py"] = here.parents[1] / "kernel" / "arguments.py"
    for name, path in sources.items():
        text = path.read_text(encoding="utf-8").replace(_PACKAGE, "handover")
        text = text.replace("\nimport msgspec\n", "\nfrom handover import structs as msgspec\n")
        (folder / name).write_text(text, encoding="utf-8")


def _handover_files() -> list[Path]:
    return sorted((Path(runtime.__path__[0]) / "handover").glob("*.py"))


class _Writer:
    """Writes the notebooks of one plan."""

    def __init__(self, notebook: Notebook, plan: Plan) -> None:
        self._notebook = notebook
        self._plan = plan
        self._found: Found = parameters.find(notebook)
        names = [each.name for each in self._found.parameters]
        self._flow: Dataflow = analyze(notebook.cells, names, notebook.stars)
        self._holder = self._found.cell.number if self._found.cell and names else 0
        self._divided: Divided | None = None
        if self._holder:
            self._divided = divide(notebook.cells[self._holder - 1].source, self._found)
        self._injected = self._everywhere()
        self._clean = stripped(notebook)
        self._titles = [f"{i:02d}-{step.name}" for i, step in enumerate(plan.steps, 1)]
        self.specs = [self._spec(i, step) for i, step in enumerate(plan.steps)]

    def _everywhere(self) -> frozenset[str]:
        """Return the parameters that each step is given anew: nothing else sets them.

        Dates, paths and the like are made of texts in one step, and handed over from there.
        """
        names = {each.name for each in self._found.parameters} - set(self._found.forms)
        for flow in self._flow.flows:
            if flow.number != self._holder:
                names -= flow.writes | flow.deletes
        return frozenset(names)

    def _spec(self, position: int, step: PlannedStep) -> StepSpec:
        definitions = [
            each
            for each in step.definitions
            if not set(each.names) & self._injected and not _OWN_EXTENSION.match(each.source)
        ]
        return StepSpec(
            name=self._titles[position],
            position=position,
            cells=step.cells,
            reads=[name for name in step.reads if name not in self._injected],
            optional=[name for name in step.optional if name not in self._injected],
            wanted=[name for name in step.wanted if name not in self._injected],
            writes=step.writes,
            definitions=definitions,
            files_read=["*"],
            state=step.state,
            defines=step.defines,
        )

    def _outputs(self, step: PlannedStep) -> list[str]:
        return [name for name in material.outputs(step) if name not in self._injected]

    # --- parameters -----------------------------------------------------------------------
    def _given(self, step: PlannedStep) -> list[Parameter]:
        """Return the parameters that a step has in its own cell."""
        wanted = {*step.reads, *step.optional} & self._injected
        if self._holder in step.cells:
            assert self._divided is not None
            text = self._divided.rest + "\n".join(self._texts(step))
            names = {each.name for each in self._found.parameters}
            wanted |= {name for name in names if name in text} | (names - self._injected)
        for each in step.definitions:
            wanted |= {name for name in self._injected if name in each.source}
        return [each for each in self._found.parameters if each.name in wanted]

    def _texts(self, step: PlannedStep) -> list[str]:
        return [self._notebook.cells[n - 1].source for n in step.cells if n != self._holder]

    def _parameters_cell(self, given: Sequence[Parameter]) -> Any:
        from nbformat.v4 import new_code_cell

        lines = []
        for each in given:
            note = f"  # {each.description}" if each.description else ""
            if each.required:
                lines.append(f"# {each.name} must be given: -p {each.name} VALUE{note}")
            else:
                lines.append(arguments.annotated(each) + note)
        return new_code_cell("\n".join(lines), metadata={"tags": ["parameters"]})

    # --- notebooks ------------------------------------------------------------------------
    def notebooks(self, folder: Path) -> list[Path]:
        """Write the notebook of each step."""
        import nbformat

        paths = []
        for position, step in enumerate(self._plan.steps):
            node = copy.copy(self._clean)
            node.cells = self._cells(position, step)
            for number, cell in enumerate(node.cells, 1):
                cell["id"] = f"{position + 1:02d}-{number:03d}"
            node.nbformat_minor = max(5, node.get("nbformat_minor", 5))
            path = folder / f"{self._titles[position]}.ipynb"
            nbformat.write(node, path)
            paths.append(path)
        return paths

    def _cells(self, position: int, step: PlannedStep) -> list[Any]:
        from nbformat.v4 import new_code_cell, new_markdown_cell

        given = self._given(step)
        cells = [new_markdown_cell(self._head(position, step, given))]
        if given:
            cells.append(self._parameters_cell(given))
        names = [f'"{self._titles[position]}"']
        if given:
            names.append(f"parameters={[each.name for each in given]!r}".replace("'", '"'))
        cells.append(new_code_cell(_BEGIN.replace("{arguments}", ", ".join(names))))
        cells += self._own(position, step)
        cells.append(new_code_cell(_END))
        return cells

    def _own(self, position: int, step: PlannedStep) -> list[Any]:
        """Return the step's cells with the Markdown in front of each."""
        indices = [self._notebook.cells[number - 1].index for number in step.cells]
        last = self._notebook.cells[min(step.cells) - 2].index if min(step.cells) > 1 else -1
        final = position == len(self._plan.steps) - 1
        end = len(self._clean.cells) if final else max(indices) + 1
        cells = []
        for index in range(last + 1, end):
            cell = copy.deepcopy(self._clean.cells[index])
            if self._holder and index == self._notebook.cells[self._holder - 1].index:
                assert self._divided is not None
                cell.source = self._divided.rest
                cell.metadata.pop("tags", None)
                if not cell.source.strip():
                    continue
            if cell.cell_type == "code":
                cell.source = _without_own_magics(cell.source)
            cells.append(cell)
        return cells

    def _head(self, position: int, step: PlannedStep, given: Sequence[Parameter]) -> str:
        spec = self.specs[position]
        title = step.title or step.name.replace("-", " ").capitalize()
        titles = dict(zip([s.name for s in self._plan.steps], self._titles, strict=True))
        outputs = self._outputs(step)
        rows = [
            ("Step", f"{position + 1} of {len(self._plan.steps)} of {self._notebook.title}"),
            ("Inputs", _code(spec.reads)),
            ("Maybe", _code(spec.optional)),
            ("Outputs", _code(outputs)),
            ("Parameters", _code([each.name for each in given])),
            ("Files read", _files(step.files_read)),
            ("Files written", _files(step.files_written)),
            ("Comes after", _code([titles[name] for name in step.after])),
            ("Kept together", "; ".join(step.merged)),
        ]
        lines = [f"- **{name}**: {text}" for name, text in rows if text]
        return f"# {title}\n\n" + "\n".join(lines)

    # --- texts ----------------------------------------------------------------------------
    def script(self) -> str:
        """Return a shell script that runs the steps in order."""
        lines = ["#!/bin/sh", "# Runs the steps in order: sh run.sh [-p NAME VALUE]...", "set -eu"]
        lines += ['cd "$(dirname "$0")"', "mkdir -p done"]
        lines += [self._command(title) + ' "$@"' for title in self._titles]
        return "\n".join(lines) + "\n"

    def _command(self, title: str) -> str:
        return f"papermill {shlex.quote(title + '.ipynb')} {shlex.quote(f'done/{title}.ipynb')}"

    def readme(self) -> str:
        """Return what the folder is, and how to run it."""
        commands = "\n".join(["mkdir -p done", *map(self._command, self._titles)])
        rows = "\n".join(
            f"| `{title}.ipynb` | {_code(spec.reads)} | {_code(self._outputs(step))} |"
            for title, spec, step in zip(self._titles, self.specs, self._plan.steps, strict=True)
        )
        return _README.format(
            title=self._notebook.title,
            name=shown(self._notebook.path.name, 200),
            rows=rows,
            commands=commands,
        )


_README = """# {title}

The steps of `{name}`, made by jupyter mlops. They need papermill and the packages that the
notebook imports; jupyter_mlops itself is not needed.

| step | takes | gives |
|---|---|---|
{rows}

Run all of them with `sh run.sh`, with other parameters `sh run.sh -p NAME VALUE`; or one after
another, in this folder:

```sh
{commands}
```

Each step hands its values on through `handover/store/`. A step that has run need not run again
when only later ones are changed. The files that the notebook reads, and the modules that lie
beside it, are in `files/`; each step works in a folder of its own in `work/`.
"""


def _without_own_magics(source: str) -> str:
    """Return a cell that does without this package; ``%mlops_log`` is known in the folder."""
    source = _OWN_STEP.sub(r"# step: \1", source)
    return _OWN_EXTENSION.sub(lambda found: f"# {found[0].strip()}", source)


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _files(paths: Sequence[str]) -> str:
    return ", ".join("any" if path == "*" else f"`{path}`" for path in paths)
