"""The plan: groups of cells become steps with declared inputs, outputs and order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from jupyter_mlops.errors import NotebookError
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import boundaries, naming, stars
from jupyter_mlops.pipeline.boundaries import Group, How
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.effects.flow import CellFlow, DefinitionText
from jupyter_mlops.pipeline.keys.code import code_key
from jupyter_mlops.pipeline.keys.verdict import verdict
from jupyter_mlops.runtime.handover.models import Definition

#: A notebook of so many steps is a mistake, and would take hours to run.
MOST_STEPS = 1000
#: A span of cells that must be one step: first cell, last cell, reason.
Together = tuple[int, int, str]


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step: its cells (code cells, counted from 1), and what goes in and out.

    ``reads`` must be there when it starts, ``optional`` may be; ``inputs`` is which of both it
    reads itself, and not only changes under another name. ``writes`` is what it binds or
    changes, ``wanted`` what any later step mentions. ``after`` names the steps that it needs.
    ``key`` is the SHA-256 of its code with the definitions it uses; after a run, of all that it
    started from (see ``keys``). ``merged`` says why cells
    were kept together that would have been apart.
    """

    name: str
    title: str = ""
    cells: list[int] = []
    reads: list[str] = []
    optional: list[str] = []
    inputs: list[str] = []
    writes: list[str] = []
    wanted: list[str] = []
    definitions: list[Definition] = []
    defines: list[str] = []
    files_read: list[str] = []
    files_written: list[str] = []
    state: list[str] = []
    after: list[str] = []
    parameters: list[str] = []
    key: str = ""
    cacheable: bool = True
    reason: str = ""
    merged: list[str] = []


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The steps in program order, and what is worth saying about them."""

    split: str
    steps: list[PlannedStep] = []
    notes: list[str] = []


def make_plan(
    notebook: Notebook,
    flow: Dataflow,
    how: How = "auto",
    together: Iterable[Together] = (),
) -> Plan:
    """Divide a notebook into steps; what cannot be handed over from step to step is merged.

    ``together`` are spans that a run has found, as in ``merged_groups``. Raises
    ``NotebookError`` when there are more than ``MOST_STEPS``.
    """
    groups = merged_groups(boundaries.split(notebook, flow, how), flow, together)
    if len(groups) > MOST_STEPS:
        raise NotebookError(
            f"The notebook would have {len(groups)} steps",
            why=f"More than {MOST_STEPS} take longer to hand over than to run",
            remedy="Mark fewer steps, or choose --split none",
            where=notebook.path.name,
        )
    names = naming.names([group for group, _ in groups], notebook, flow)
    return plan(notebook, flow, groups, names, how)


def merged_groups(
    groups: Sequence[Group], flow: Dataflow, together: Iterable[Together] = ()
) -> list[tuple[Group, list[str]]]:
    """Return the groups after joining what cannot be apart, each with the reasons.

    ``together`` are more spans (first cell, last cell, reason) that a run has found.
    """
    spans = [*_spans(flow), *together]
    result: list[tuple[Group, list[str]]] = []
    for group in groups:
        previous = result[-1][0] if result else None
        glue = [
            reason
            for first, last, reason in spans
            if previous is not None and first <= max(previous.cells) and last >= min(group.cells)
        ]
        if previous is not None and glue:
            said = result[-1][1]
            result[-1] = (_both(previous, group), list(dict.fromkeys([*said, *glue])))
        else:
            result.append((group, []))
    return result


def _both(first: Group, second: Group) -> Group:
    return type(first)(
        cells=[*first.cells, *second.cells], title=first.title or second.title, why=first.why
    )


def _spans(flow: Dataflow) -> list[tuple[int, int, str]]:
    """Return (first cell, last cell, reason) of what must stay in one process."""
    found: list[tuple[int, int, str]] = []
    for cell in flow.flows:
        for name, (origin, reason) in cell.held.items():
            found.append((origin, cell.number, f"{name}: {reason}"))
        for text in cell.stale:
            if text.is_class or not _carried_by_value(text):
                label = ", ".join(text.names) or text.source.splitlines()[0]
                why = (
                    f"{label}: a class that was changed after its definition cannot be handed over"
                )
                found.append((text.cell, cell.number, why))
        for key, sources in cell.uses.items():
            if key.startswith("<module:"):
                why = f"{key[8:-1]}: the state inside a module cannot be handed over"
                found.append((min(sources), cell.number, why))
            elif key.startswith("<file:../"):
                why = f"{key[6:-1]}: it is written outside of the notebook's folder"
                found.append((min(sources), cell.number, why))
    return sorted(found)


def _carried_by_value(text: DefinitionText) -> bool:
    return text.source.lstrip().startswith(("def ", "async def ", "@"))


def plan(
    notebook: Notebook,
    flow: Dataflow,
    groups: Sequence[tuple[Group, list[str]]],
    names: Sequence[str],
    split: str,
) -> Plan:
    """Return the steps of a notebook whose groups are settled (see ``merged_groups``)."""
    spans = [group for group, _ in groups]
    step_of = {cell: index for index, group in enumerate(spans) for cell in group.cells}
    steps: list[PlannedStep] = []
    parameters = sorted(flow.world.parameters)
    reached = _reached_by(flow, parameters)
    overview = _Overview.of(flow)
    for index, (group, merged) in enumerate(groups):
        flows = [flow.flow(cell) for cell in group.cells]
        needs = _Needs(flow, overview, group, flows)
        after = sorted({step_of[c] for c in needs.producers if c in step_of} - {index})
        cacheable, reason = verdict(flow, flows)
        last_cell = max(group.cells, default=0)
        used = {p for p in parameters if any(c in reached[p] for c in group.cells)}
        steps.append(
            PlannedStep(
                name=names[index],
                title=group.title,
                cells=list(group.cells),
                reads=sorted(needs.reads),
                optional=sorted(needs.optional),
                inputs=sorted(needs.inputs),
                writes=sorted({n for f in flows for n in f.writes if n[:1] != "<"}),
                wanted=sorted(n for n, at in overview.last_wanted.items() if at > last_cell),
                definitions=needs.definitions(),
                defines=sorted(_defines(flows, overview.last_stale, last_cell)),
                files_read=_files_read(flows),
                files_written=sorted({p for f in flows for p in f.files_out}),
                state=sorted(
                    {k for f in flows for k in (*f.touches, *f.sets, *f.uses) if k[:1] == "<"}
                ),
                after=[names[i] for i in after],
                parameters=sorted(used),
                key=code_key([notebook.cells[c - 1] for c in group.cells], needs.definitions()),
                cacheable=cacheable,
                reason=reason,
                merged=merged,
            )
        )
    notes = [f"cell {f.number}: {text}" for f in flow.flows for text in f.notes]
    return Plan(split=split, steps=steps, notes=notes)


@dataclass(frozen=True)
class _Overview:
    """What the steps ask about all cells before or behind them, looked up once.

    The first cell that writes each name, the last that mentions it, the last that finds its
    text out of date, and the definitions without names: setup lines, and star imports.
    """

    first_written: dict[str, int]
    last_wanted: dict[str, int]
    last_stale: dict[str, int]
    unnamed: list[DefinitionText]

    @classmethod
    def of(cls, flow: Dataflow) -> _Overview:
        written: dict[str, int] = {}
        wanted: dict[str, int] = {}
        stale: dict[str, int] = {}
        unnamed: list[DefinitionText] = []
        for cell in flow.flows:
            for name in cell.writes:
                written.setdefault(name, cell.number)
            mentioned = [cell.loads, cell.uses, cell.mutates]
            for names in (*mentioned, *(text.needs for text in cell.needed_texts)):
                wanted |= dict.fromkeys(names, cell.number)
            stale |= {name: cell.number for text in cell.stale for name in text.names}
            unnamed += [text for text in cell.definitions if not text.names]
        wanted = {name: at for name, at in wanted.items() if name[:1] != "<"}
        setup = ("%", "import ", "from ")
        return cls(
            written, wanted, stale, [t for t in unnamed if t.source.lstrip().startswith(setup)]
        )


class _Needs:
    """What a step needs from outside: values, and definitions as text."""

    def __init__(
        self, flow: Dataflow, overview: _Overview, group: Group, flows: Sequence[CellFlow]
    ) -> None:
        self._flow = flow
        self._inside = set(group.cells)
        first = min(group.cells, default=0)
        self.reads: set[str] = set()
        self.optional: set[str] = set()
        opened = any(number < first for number, _ in flow.world.open_cells)
        self.producers: set[int] = set()
        self._texts: dict[int, DefinitionText] = {}
        #: The names that are needed of the texts.
        self._by_text = {name for cell in flows for name in cell.by_text}
        stale = {id(text) for f in flows for text in f.stale}
        for cell in flows:
            for text in (*cell.needed_texts, *cell.shared_texts):
                if text.cell not in self._inside and id(text) not in stale:
                    self._take(text)
        own: set[str] = set()
        for cell in flows:
            for name, sources in cell.uses.items():
                self._use(cell, name, sources, own)
            own = (own - cell.may_delete) | (cell.binds - cell.deletes)
        self.inputs = self.reads | self.optional
        for cell in flows:
            # What goes, or changes under another name, must be there for that to be seen.
            changed = cell.may_delete | {n for n in cell.mutates if n[:1] != "<"}
            there = overview.first_written
            self.optional |= {n for n in changed if opened or there.get(n, first) < first}
        self.optional -= self.reads
        for text in overview.unnamed:
            if text.cell < first:
                self._texts[id(text)] = text
                if text.source.lstrip().startswith("from "):  # by a star: it may bind anything
                    self._keep_bound_since(text, flow.flows[: first - 1])

    def _keep_bound_since(self, star: DefinitionText, before: Sequence[CellFlow]) -> None:
        """Have what cells bound after a star import in place: its text may bind that, too."""
        for cell in before[star.cell :]:
            bound = cell.writes - {name for name in cell.writes if name[:1] in ("<", "*")}
            self.optional |= bound - self.reads
            if bound and cell.number not in self._inside:
                self.producers.add(cell.number)

    def _use(self, cell: CellFlow, name: str, sources: set[int], own: set[str]) -> None:
        """Take what a cell uses; ``own`` is what the step has surely bound by then."""
        outside = sources - self._inside
        if not outside:
            return
        self.producers |= outside
        bound_first = name in cell.writes and name not in cell.inherits
        if name[:1] == "<" or name in own or bound_first:
            return
        by_text = any(name in text.names for text in self._texts.values())
        if by_text and name in cell.by_text:
            return
        strong = any(
            name in self._flow.flow(c).binds and name not in self._flow.flow(c).deletes
            for c in outside
        )
        surely = strong and name not in cell.deleted_uses
        (self.reads if surely else self.optional).add(name)

    def _take(self, text: DefinitionText) -> None:
        if id(text) in self._texts:
            return
        self._texts[id(text)] = text
        self._by_text |= set(text.needs)
        for need in text.needs.values():
            inner = need.text or need.constant
            if inner is not None and inner.cell not in self._inside:
                self._take(inner)

    def definitions(self) -> list[Definition]:
        """Return the definitions in program order."""
        order = {
            id(text): index
            for index, text in enumerate(
                text for cell in self._flow.flows for text in cell.definitions
            )
        }
        texts = sorted(self._texts.values(), key=lambda t: (t.cell, order.get(id(t), -1)))
        return [self._definition(text) for text in texts]

    def _definition(self, text: DefinitionText) -> Definition:
        names, source = stars.narrowed(text.names, text.source, self._by_text)
        return Definition(cell=text.cell, names=list(names), source=source)


def _files_read(flows: Sequence[CellFlow]) -> list[str]:
    """Return the files to put in place; all of them where paths may mean anything."""
    if any({"<cwd>", "<sys.path>"} & {*f.touches, *f.sets, *f.uses} for f in flows):
        return ["*"]
    return sorted({path for f in flows for path in f.files_in})


def _defines(flows: Sequence[CellFlow], last_stale: Mapping[str, int], end: int) -> set[str]:
    """Return the names that later steps get by executing this step's definitions again."""
    found: set[str] = set()
    for cell in flows:
        found -= cell.writes
        found |= cell.leaves_text
    return {name for name in found if last_stale.get(name, 0) <= end}


def _reached_by(flow: Dataflow, parameters: Iterable[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for name in parameters:
        cell = next((f.number for f in flow.flows if name in f.binds), 0)
        found[name] = {cell, *flow.downstream([name], cell)}
    return found
