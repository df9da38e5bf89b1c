"""Captures what a finished run made: runs inside the kernel, as the last thing of the run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.capture import calling, candidates, data
from jupyter_mlops.capture.code import of_notebook
from jupyter_mlops.capture.equivalence import Differs, told
from jupyter_mlops.capture.formats import format_for, known
from jupyter_mlops.capture.golden import Candidate, of_estimator, of_function
from jupyter_mlops.capture.models import (
    Capture,
    CaptureProblem,
    CaptureReport,
    CaptureRequest,
    DataVersion,
    Golden,
    Predictor,
    Route,
    Signature,
)
from jupyter_mlops.capture.pickled import PickleFormat
from jupyter_mlops.capture.protocol import CannotSave
from jupyter_mlops.capture.routes import Proven, is_example, prove
from jupyter_mlops.capture.store import save
from jupyter_mlops.capture.taps import Called, Recorder
from jupyter_mlops.capture.watching import watch

REPORT_NAME = "captures.json"
_REMEDY = (
    "A service answers each row by itself, and always the same: seed what is random inside of the "
    "function, compute what is learned from many rows in a cell before it, and change no name "
    "outside of it. A call of it in a cell shows which rows it takes."
)


def collect(
    namespace: dict[str, Any],
    request: CaptureRequest,
    directory: Path,
    recorder: Recorder | None = None,
) -> CaptureReport:
    """Save what the predictor needs under ``directory`` and describe it.

    With ``request.predict`` exactly ``request.names`` are captured; without it the fitted model
    of the namespace, with what turns raw rows into what it takes. ``recorder`` has what was kept
    during the run. Everything wrong is in ``problems``. Also writes ``captures.json``. Raises
    ``OSError`` when the disk does not take the files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    collector = _Collector(namespace, request, directory, recorder)
    if request.predict:
        collector.function(request.predict)
    else:
        collector.estimator()
    collector.training()
    report = collector.report()
    temporary = directory / f".{REPORT_NAME}"
    temporary.write_bytes(msgspec.json.encode(report))
    temporary.replace(directory / REPORT_NAME)
    return report


def _read_by(function: Any, namespace: dict[str, Any]) -> list[str]:
    """Return the plain names that a function reads of the notebook."""
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    return [
        name
        for name in names
        if name in namespace and not callable(namespace[name]) and name[:2] != "__"
    ]


class _Collector:
    def __init__(
        self,
        namespace: dict[str, Any],
        request: CaptureRequest,
        directory: Path,
        recorder: Recorder | None,
    ) -> None:
        self.namespace = namespace
        self.recorder = recorder
        self.route = -1
        self.request = request
        self.directory = directory
        self.captures: list[Capture] = []
        self.asked = list(dict.fromkeys(request.names))
        self.modules: set[str] = set()
        self.notes: list[str] = list(known().problems)
        self.problems: list[CaptureProblem] = []
        self.predictor = Predictor()
        self.signature: Signature | None = None
        self.golden: Golden | None = None
        self.data: list[DataVersion] = []

    def report(self) -> CaptureReport:
        return CaptureReport(
            captures=self.captures,
            signature=self.signature,
            golden=self.golden,
            predictor=self.predictor,
            modules=sorted(self.modules),
            problems=self.problems,
            notes=self.notes,
            data=self.data,
            route=self.route,
        )

    def training(self) -> None:
        """Say which data the models were trained on."""
        names = [capture.name for capture in self.captures]
        self.data = data.versions(self.namespace, self.request, names, self.directory)

    def function(self, name: str) -> None:
        """Capture what the notebook's own function reads, and try the function."""
        self._named()
        predict = self.namespace.get(name)
        if not callable(predict):
            self._problem(
                f"{name} is not a function at the end of the run.",
                remedy=f"Define `def {name}(rows)` in a cell that always runs.",
                where=self._where(name),
            )
            return
        self.predictor = Predictor(kind="function", name=name)
        if self.problems:
            return
        models = {
            each: self.namespace[each]
            for each in self.request.names
            if candidates.is_estimator(self.namespace.get(each))
        }
        calls = self._calls(self.request.calls)
        changed = watch(self.namespace, [*self.request.names, *_read_by(predict, self.namespace)])
        keys = [key for keys in self.request.fit_calls.values() for key in keys]
        trained = [each.argument.value for each in self._calls(keys) if each.argument is not None]
        found = of_function(predict, models, self.namespace, self.request, calls, changed, trained)
        self.predictor = Predictor(kind="function", name=name, takes=found.takes)
        self._keep(found, name)
        needed = calling.required(predict)
        if found.golden is None and len(needed) > 1 and not self.problems:
            self._problem(
                f"{name} takes {len(needed)} arguments, and no cell shows with which values.",
                remedy=f"Call it once in the notebook, {name}({', '.join(needed)}) with an "
                "example of each, or let it take a table of rows.",
                where=self._where(name),
            )
        elif found.golden is None and not self.problems:
            self.notes.append(
                f"Nothing in the notebook shows which rows {name} takes, so its answers are not "
                f"compared: call it once in a cell, {name}(...)."
            )

    def estimator(self) -> None:
        """Capture the names asked for and the one fitted model of the namespace."""
        self._named()
        name = self._model_name()
        if name is None:
            return
        if name in self.request.afterwards:
            self.notes.append(self.request.afterwards[name])
        if self._routed(name):
            return
        model = self.namespace[name]
        if name not in self.request.names:
            self._save(name)
        self.predictor = Predictor(kind="estimator", name=name)
        if self.problems:
            return
        calls = self._calls(self.request.fit_calls.get(name, []))
        given = [call.argument.value for call in calls if call.argument is not None]
        data = next((each for each in given if candidates.fits(model, each)), None)
        if data is None:
            data = candidates.training_data(name, model, self.namespace, self.request)
        asked = self._calls(self.request.ask_calls.get(name, []))
        changed = watch(self.namespace, [name])
        found = of_estimator(model, data, changed, asked)
        if data is None and found.golden is None and given:
            # One that keeps no names of columns: what it was fitted on has them.
            request = CaptureRequest(target=self.request.target)
            shown = of_function(model.predict, {}, {}, request, asked, changed, given)
            found = shown if shown.golden or shown.refused else found
        self._keep(found, name)
        self._with_code(name)

    def _routed(self, model: str) -> bool:
        """Prove the service that takes the rawest rows; False where none can be proven."""
        refused: tuple[Route, str] | None = None
        own = [
            pair
            for pair in enumerate(self.request.routes)
            if pair[1].model == model and pair[1].root
        ]
        # What was written by hand says less of what rows there are.
        for number, route in sorted(own, key=lambda pair: is_example(pair[1], self.recorder)):
            try:
                proven = prove(route, self.namespace, self.recorder)
                self._check_savable(proven.values)
            except Exception as error:
                # A candidate may fail in any way: what it is tried with is the notebook's own.
                known = isinstance(error, Differs | CannotSave)
                why = str(error).rstrip(".") if known else told(error)
                refused = refused or (route, why)
                continue
            self._take_route(proven, number)
            if refused:
                self._note_refused(*refused, f"the rows of {route.root} (cell {route.cell})")
            return True
        if refused:
            self._note_refused(*refused, f"what {model} itself was fitted on")
        return False

    def _with_code(self, model: str) -> None:
        """Where a model is made of the notebook's classes, serve it with their code."""
        if not any(of_notebook(capture.classes) for capture in self.captures):
            return
        self._named()
        plain = (n for n, r in enumerate(self.request.routes) if r.model == model and not r.root)
        self.route = next(plain, -1)
        if self.route >= 0 and not self.problems:
            self.predictor = Predictor(
                kind="function", name=self.request.routes[self.route].function
            )

    def _check_savable(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if format_for(value) is None and not self.request.allow_pickle:
                raise CannotSave(f"{name} has no safe format")

    def _take_route(self, proven: Proven, number: int) -> None:
        for name, value in proven.values.items():
            if name not in self.asked:
                self._save(name, value)
                self.asked.append(name)
        self._named()
        self.route = number
        self.predictor = Predictor(kind="function", name=proven.route.function)
        self.signature, self.golden = proven.signature, proven.golden
        self._note_tolerance()

    def _note_tolerance(self) -> None:
        if self.golden is not None and self.golden.tolerance:
            share = f"{self.golden.tolerance:g}"
            self.notes.append(
                f"The service's numbers may differ from the notebook's by {share} of their size: "
                f"{self.golden.reason}."
            )

    def _note_refused(self, route: Route, why: str, instead: str) -> None:
        self.notes.append(
            f"The service takes {instead}, not the rows of {route.root} (cell {route.cell}): {why}."
        )

    def _calls(self, keys: Iterable[str]) -> list[Called]:
        known = self.recorder.calls if self.recorder else {}
        return [call for key in keys for call in known.get(key, [])]

    def _keep(self, found: Candidate, name: str) -> None:
        self.signature, self.golden = found.signature, found.golden
        self._note_tolerance()
        if found.refused:
            self._problem(
                f"{name} cannot be served: {found.refused}.",
                remedy=_REMEDY,
                where=self._where(name),
            )
        elif found.error:
            self._problem(
                f"{name} fails on rows of its own training data.",
                why=found.error,
                remedy="It is called with a pandas DataFrame of rows; make it work with "
                "`X.head()` at the end of the notebook.",
                where=self._where(name),
            )

    def _model_name(self) -> str | None:
        fitted = candidates.fitted(self.namespace)
        if self.request.model:
            return self._chosen(self.request.model, fitted)
        models = {name: each for name, each in fitted.items() if candidates.can_predict(each)}
        models = candidates.without_parts(models)
        if len(models) > 1:
            self._problem(
                f"More than one fitted model: {', '.join(models)}.",
                remedy="Say which with --model NAME, or tag a cell `predict`.",
            )
            return None
        return next(iter(models), None)

    def _chosen(self, name: str, fitted: dict[str, Any]) -> str | None:
        value = self.namespace.get(name)
        if candidates.is_estimator(value) and candidates.can_predict(value):
            if candidates.is_fitted(value):
                return name
            why = "It was not fitted in the run."
        elif name not in self.namespace:
            why = "The run made nothing of this name."
        else:
            why = f"It is a {type(value).__module__}.{type(value).__qualname__}."
        there = ", ".join(each for each in fitted if candidates.can_predict(fitted[each]))
        self._problem(
            f"{name} is not a fitted model.",
            why=why,
            remedy=f"The fitted models are: {there}." if there else "No model was fitted.",
            where=self._where(name),
        )
        return None

    def _named(self) -> None:
        # It grows meanwhile: the code of a class may need more.
        saved = {capture.name for capture in self.captures}
        for name in self.asked:
            if name in saved:
                continue
            if name in self.namespace:
                self._save(name)
            else:
                self._problem(
                    f"{name} does not exist at the end of the run.",
                    why=self._why(name),
                    remedy="Do not delete it, and set it in a cell that always runs.",
                    where=self._where(name),
                )

    def _why(self, name: str) -> str:
        who = self.request.wanted.get(name)
        return (
            f"{who} asks for it." if who else f"{self.request.predict or 'The service'} needs it."
        )

    def _save(self, name: str, value: Any = None) -> None:
        value = self.namespace[name] if value is None else value
        try:
            capture, modules = save(
                name,
                value,
                self.directory,
                self.request.cells.get(name),
                allow_pickle=self.request.allow_pickle,
            )
        except CannotSave as error:
            kind = f"{type(value).__module__}.{type(value).__qualname__}"
            self._problem(
                f"{name} ({kind.removeprefix('builtins.')}) cannot be captured.",
                why=" ".join(part for part in (error.problem, error.why) if part),
                remedy=error.remedy,
                where=self._where(name),
            )
        else:
            self.captures.append(capture)
            self.modules.update(modules)
            self._note_kept(capture)

    def _note_kept(self, capture: Capture) -> None:
        """Go on with what the code of its classes needs, and tell of a pickle."""
        if capture.format == PickleFormat.name:
            self.notes.append(
                f"{capture.name} ({capture.type}) is a pickle: whoever loads it runs its code."
            )
        for each in of_notebook(capture.classes):
            for name in self.request.class_names.get(each, []):
                if name not in self.asked:
                    self.asked.append(name)

    def _problem(self, problem: str, *, why: str = "", remedy: str = "", where: str = "") -> None:
        self.problems.append(CaptureProblem(problem=problem, why=why, remedy=remedy, where=where))

    def _where(self, name: str) -> str:
        cell = self.request.cells.get(name)
        return "" if cell is None else f"cell {cell + 1}"
