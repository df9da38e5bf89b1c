"""One notebook of the corpus, with the truth about it written by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import nbformat

Expect = Literal["exact", "merged", "refused"]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
MARKDOWN = "# %% [markdown]"
_BREAK = re.compile(r"^# %%$\n|^(?=# %% \[markdown\]$)", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A notebook and what is true of it. Code cells are numbered from 1.

    A cell that begins with ``# %% [markdown]`` is Markdown and has no number.
    """

    name: str
    construct: str
    cells: list[str]
    parameters: dict[str, object] = field(default_factory=dict)
    """Values for the run with one parameter changed; ``{}`` where there is no such run."""
    reached: set[int] | None = None
    """Cells whose outputs, names, hidden state or files differ when the parameter does.

    The tagged cell itself is always among them. ``None`` where there is no such run.
    """
    target: str = ""
    """A name whose slice must give the same value; empty where the notebook has none."""
    minimal: set[int] = field(default_factory=set)
    """The smallest slice of ``target``."""
    expect: Expect = "exact"
    """The best class to hope for; anything up to it is fine."""
    conservative: bool = False
    """Whether slices and reached cells may hold more than they must."""
    files: dict[str, str] = field(default_factory=dict)
    """Files beside the notebook: relative path -> text."""
    tagged: bool = True
    """Whether the first code cell is tagged ``parameters`` (only where there are parameters)."""
    tags: dict[int, list[str]] = field(default_factory=dict)
    """Further tags of code cells, by number."""
    counts: list[int | None] | None = None
    """Saved execution counts of the code cells; in order where ``None``."""
    hidden: list[str] = field(default_factory=list)
    """Words that a report about hidden state must hold."""
    theme: str = ""

    @property
    def code(self) -> list[str]:
        """The sources of the code cells."""
        return [cell for cell in self.cells if not cell.startswith(MARKDOWN)]

    def tags_of(self, number: int) -> list[str]:
        """The tags of one code cell, as they are written to the notebook."""
        own = ["parameters"] if number == 1 and self.parameters and self.tagged else []
        return own + self.tags.get(number, [])


def cells(text: str) -> list[str]:
    """Cut a text at its ``# %%`` lines; those of Markdown cells are kept."""
    return [part.strip("\n") for part in _BREAK.split(text) if part.strip()]


def write(case: Case, folder: Path) -> Path:
    """Write the notebook and the files beside it; returns the notebook's path."""
    node = nbformat.v4.new_notebook(metadata=KERNEL)
    number = 0
    for index, source in enumerate(case.cells, 1):
        if source.startswith(MARKDOWN):
            made = nbformat.v4.new_markdown_cell(_markdown(source))
        else:
            number += 1
            tags = case.tags_of(number)
            made = nbformat.v4.new_code_cell(source, metadata={"tags": tags} if tags else {})
            made["execution_count"] = case.counts[number - 1] if case.counts else number
        made["id"] = f"cell-{index}"
        node.cells.append(made)
    write_files(case, folder)
    path = folder / "notebook.ipynb"
    nbformat.write(node, path)
    return path


def read(path: Path) -> Case:
    """A notebook on disk as a case about which nothing is known: cells, tags and files beside."""
    node = nbformat.read(path, as_version=4)
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    tags = {n: list(cell.metadata.get("tags", [])) for n, cell in enumerate(code, 1)}
    beside = [file for file in path.parent.rglob("*") if file.is_file() and file != path]
    above = {f"../{file.name}": file for file in path.parent.parent.glob("*.txt")}
    named = {str(file.relative_to(path.parent)): file for file in beside} | above
    return Case(
        name=path.stem,
        construct="",
        cells=[cell.source for cell in code],
        files={name: file.read_text(encoding="utf-8") for name, file in named.items()},
        tagged="parameters" in tags.get(1, []),
        tags=tags,
    )


def write_files(case: Case, folder: Path) -> None:
    """Write only the files beside the notebook."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _markdown(source: str) -> str:
    lines = source.splitlines()[1:]
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
