"""The code of a service for a notebook that fits a model and writes no function that predicts.

From what the notebook gives to its model the walk goes back to the rows that it is made of. Every
place on the way is a candidate for where the service begins; the run proves one (see
``capture.routes``), the one with the rawest rows first.
"""

from __future__ import annotations

import ast
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from jupyter_mlops.capture.models import Route, Tap
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import slicing
from jupyter_mlops.pipeline.names import bound, needed
from jupyter_mlops.pipeline.service import afterwards, asking, carrying, datasets, walking, words
from jupyter_mlops.pipeline.service.asking import Ask
from jupyter_mlops.pipeline.service.carrying import Statement
from jupyter_mlops.pipeline.service.rewriting import Learned, fingerprint
from jupyter_mlops.pipeline.service.walking import Cut, Line

FUNCTION = "predict"
#: How many candidates are tried, and how many calls of a model are looked at.
MOST, CALLS = 12, 4
WIDTH = 88
_DEFINES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Services:
    """The candidates for a service, the rawest rows first, and what the run is to keep.

    ``asks`` and ``fits`` are the taps where each model is asked and fitted, ``calls`` those where
    the notebook's own function is called; ``target`` are the columns that models predict, and
    ``tables`` the parts of tables that the text mentions. ``afterwards`` says of models whose
    answers the notebook makes something else of what that is.
    """

    routes: list[Route] = field(default_factory=list)
    taps: list[Tap] = field(default_factory=list)
    asks: dict[str, list[str]] = field(default_factory=dict)
    fits: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    target: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    afterwards: dict[str, str] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """Return the fields of a ``CaptureRequest`` that ask for this."""
        return {
            "routes": self.routes,
            "taps": self.taps,
            "calls": self.calls,
            "ask_calls": self.asks,
            "fit_calls": self.fits,
            "target": self.target,
            "tables": self.tables,
            "afterwards": self.afterwards,
        }


def find(notebook: Notebook, parameters: Set[str], models: Sequence[str]) -> Services:
    """Return the candidates of each of the models that a notebook fits."""
    statements = carrying.statements(notebook)
    fits = _fits(statements)
    found = [_Maker(notebook, statements, parameters, fits, model).services() for model in models]
    taps = {tap.key: tap for each in found for tap in each.taps}
    return Services(
        routes=[route for each in found for route in each.routes],
        taps=list(taps.values()),
        asks={name: keys for each in found for name, keys in each.asks.items()},
        fits={name: keys for each in found for name, keys in each.fits.items()},
        target=sorted({name for each in found for name in each.target}),
        afterwards={n: told for n in models if (told := afterwards.told(statements, n))},
    )


def calls(notebook: Notebook, function: str, models: Sequence[str]) -> Services:
    """Return what is to be kept of the notebook's own calls of its function."""
    statements = carrying.statements(notebook)
    taps = [
        Tap(
            key=f"call:{statement.cell.number}:{node}:{number}",
            kind="applied" if applied else "call",
            statement=fingerprint(statement.node),
            node=node,
        )
        for number, (statement, node, applied) in enumerate(asking.calls_of(statements, function))
    ]
    fitted = {model: asking.asks(statements, model)[1][:CALLS] for model in models}
    trained = {model: [_asked(statements, ask) for ask in asks] for model, asks in fitted.items()}
    every = [ask for asks in fitted.values() for ask in asks]
    return Services(
        taps=[*taps, *(tap for each in trained.values() for tap in each)],
        calls=[tap.key for tap in taps],
        fits={model: [tap.key for tap in each] for model, each in trained.items()},
        target=sorted(asking.target_columns(statements, every)),
        tables=asking.tables(statements),
    )


def _asked(statements: Sequence[Statement], ask: Ask) -> Tap:
    statement = statements[ask.at]
    return Tap(
        key=f"ask:{statement.cell.number}:{ask.at}:{ask.node}",
        kind="call",
        statement=fingerprint(statement.node),
        node=ask.node,
    )


def with_code(notebook: Notebook, parameters: Set[str], route: Route, names: Sequence[str]) -> str:
    """Return a candidate's text with the code of classes that its captures need as well."""
    body = route.source[route.source.index(f"def {route.function}(") :]
    read: set[str] = set().union(*(needed(node) for node in ast.parse(body).body))
    side = sorted((read | set(names)) - route.learned.keys())
    gathered = slicing.gather(notebook, parameters, side)
    return f"{gathered.text(_head(), list(route.learned)).rstrip()}\n\n\n{body}"


def _head() -> str:
    return f'"""What answers: {FUNCTION}(rows), made from the notebook\'s cells."""'


def _fits(statements: Sequence[Statement]) -> Counter[str]:
    """Count the calls by which each name is fitted."""
    return Counter(
        each.func.value.id
        for statement in statements
        for each in ast.walk(statement.node)
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and isinstance(each.func.value, ast.Name)
        and each.func.attr in ("fit", "partial_fit", *words.FITS)
    )


@dataclass
class _Maker:
    notebook: Notebook
    statements: list[Statement]
    parameters: Set[str]
    fits: Counter[str]
    model: str

    def services(self) -> Services:
        """Return the candidates of one model."""
        asked, fitted = asking.asks(self.statements, self.model)
        target = asking.target_columns(self.statements, fitted)
        taken = {name for s in self.statements for name in bound(s.node)}
        learned = Learned(taken)
        routes: list[Route] = []
        taps: list[Tap] = []
        method = asked[0].method if asked else "predict"
        not_tables = datasets.loaded(self.statements)
        for ask in [*asked[:CALLS], *fitted[:CALLS]]:
            for cut in walking.cuts(self.statements, ask, target, learned, self.fits):
                if cut.plain or cut.at in not_tables:
                    continue
                route, more = self._route(cut, ask, method, learned, target)
                if route is not None and route.source not in {r.source for r in routes}:
                    routes.append(route)
                    taps += more
        # The earlier a table was made, the rawer; then what was asked comes before what was fitted.
        routes.sort(key=lambda route: int(route.rooted.split(":")[2]))
        kept = {name for route in routes for name in route.learned}
        taps += [tap for name, tap in learned.taps.items() if name in kept]
        asks = [_asked(self.statements, ask) for ask in asked[:CALLS] if ask.method == "predict"]
        trained = [_asked(self.statements, ask) for ask in fitted[:CALLS]]
        return Services(
            routes=[*routes[:MOST], self._plain()],
            taps=taps + asks + trained,
            asks={self.model: [tap.key for tap in asks]},
            fits={self.model: [tap.key for tap in trained]},
            target=sorted(target),
        )

    def _plain(self) -> Route:
        lines = [
            f"def {FUNCTION}(rows):",
            f'    """Answer for rows as {self.model} takes them."""',
            f"    return {self.model}.predict(rows)",
        ]
        gathered = slicing.gather(self.notebook, self.parameters, [self.model])
        source = "\n".join([f"{gathered.text(_head()).rstrip()}\n\n", *lines]) + "\n"
        return Route(
            model=self.model,
            function=FUNCTION,
            method="predict",
            source=source,
            captured=gathered.captured,
        )

    def _route(
        self, cut: Cut, ask: Ask, method: str, learned: Learned, target: Set[str]
    ) -> tuple[Route | None, list[Tap]]:
        side = cut.side | {self.model}
        known = sorted(side - learned.taps.keys())
        gathered = slicing.gather(self.notebook, self.parameters, known)
        if gathered.missing:
            return None, []
        text = _body(cut, self.model, method, side)
        names = sorted(learned.taps.keys() & side)
        source = f"{gathered.text(_head(), names).rstrip()}\n\n\n{text}"
        root = self.statements[cut.at]
        made_of = [*(line.statement for line in cut.lines), self.statements[ask.at]]
        taps = [
            Tap(
                key=f"root:{root.cell.number}:{cut.at}:{cut.root}",
                kind="after",
                statement=fingerprint(root.node),
                name=cut.root,
            ),
            _asked(self.statements, ask),
        ]
        route = Route(
            model=self.model,
            function=FUNCTION,
            method=method if ask.method == "fit" else ask.method,
            source=source,
            captured=sorted({*gathered.captured, *names}),
            learned={name: learned.taps[name].key for name in names},
            root=cut.root,
            rooted=taps[0].key,
            cell=root.cell.number,
            final=self._is_final(cut.root, cut.at),
            asked=taps[1].key,
            argument=self._argument(ask),
            target=sorted(target - _taken(cut)),
            same_rows=not cut.chose,
            relabeled=cut.relabeled,
            cells=sorted({*gathered.cells, *(each.cell.number for each in made_of)}),
        )
        return route, taps

    def _argument(self, ask: Ask) -> str:
        node = ask.argument
        if isinstance(node, ast.Name) and self._is_final(node.id, ask.at):
            return node.id
        return ""

    def _is_final(self, name: str, at: int) -> bool:
        """Tell whether no statement after one gives a name another value, or changes it."""
        after = (statement.node for statement in self.statements[at + 1 :])
        return not any(name in bound(node) | carrying.changed(node, {}) for node in after)


def _body(cut: Cut, model: str, method: str, side: Set[str]) -> str:
    """Return the text of the function."""
    lines = [
        line for line in cut.lines if not isinstance(line.node, ast.Expr) or not _is_last(line, cut)
    ]
    used = {n.id for line in lines for n in ast.walk(line.node) if isinstance(n, ast.Name)}
    rows = next(name for name in ("rows", "given", "table", "rows_") if name not in used | side)
    changes = any(cut.root in carrying.changed(line.node, {}) for line in lines)
    begin = f"{rows}.copy()" if changes else rows
    where = f"like those of {cut.root} in the notebook"
    text = [f"def {FUNCTION}({rows}):", f'    """Answer for rows {where}."""']
    text.append(f"    {cut.root} = {begin}")
    for line in lines:
        text += _written(line)
    answer = f"    return {model}.{method}({ast.unparse(cut.argument)})"
    return "\n".join([*text, answer]) + "\n"


def _taken(cut: Cut) -> set[str]:
    """Return the columns that are taken by their names, what is predicted or not."""
    found: set[str] = set()
    for node in (cut.argument, *(line.node for line in cut.lines)):
        for each in ast.walk(node):
            if isinstance(each, ast.Subscript):
                inside = [e.value for e in ast.walk(each.slice) if isinstance(e, ast.Constant)]
                found |= {value for value in inside if isinstance(value, str)}
            elif isinstance(each, ast.Attribute):
                found.add(each.attr)
    return found


def _is_last(line: Line, cut: Cut) -> bool:
    return isinstance(line.node, ast.Expr) and line.node.value is cut.argument


def _written(line: Line) -> Iterator[str]:
    text = ast.unparse(line.node)
    if text == ast.unparse(line.statement.node):
        text = slicing.text_of(line.statement.cell, line.statement.node)
        if '"""' in text or "'''" in text:
            text = ast.unparse(line.node)
    where = f"# {line.statement.cell.where}"
    text = textwrap.indent(text, "    ")
    if "\n" not in text and "#" not in text and len(text) + len(where) + 2 <= WIDTH:
        yield f"{text}  {where}"
    else:
        yield f"    {where}"
        yield text
