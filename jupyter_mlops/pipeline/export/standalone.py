"""The first and last cell of an exported step call this; a copy goes into the folder.

It needs IPython, which runs the notebook, and the standard library.
"""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover import models_format
from jupyter_mlops.runtime.handover.models import Definition, HandoverError, Session, StepSpec
from jupyter_mlops.runtime.handover.session import StepSession

# The formats that check a model before it is opened are not here: the folder is its owner's own.
models_format.is_estimator = lambda value: False

_current: dict[str, Any] = {}


def begin(step: str, parameters: Iterable[str] = ()) -> None:
    """Put in place what the steps before this one handed over.

    ``parameters`` are the names of the parameters that stand above. Raises ``HandoverError`` when
    a step before is missing, or ran with other values of them.
    """
    from IPython import get_ipython

    shell: Any = get_ipython()
    _know_magics(shell)
    folder = Path(__file__).resolve().parent.parent
    store = folder / "handover" / "store"
    every = json.loads((folder / "steps.json").read_text(encoding="utf-8"))
    position = [each["name"] for each in every].index(step)
    spec = _spec(every[position])
    before = [store / each["name"] for each in every[:position]]
    for each in before:
        if not (each / "manifest.json").is_file():
            raise HandoverError(f"The step {each.name} has not run yet: run it before {step}.")
    values = {name: repr(shell.user_ns.get(name)) for name in parameters}
    _compare(step, values, before)
    files = folder / "files"
    files.mkdir(exist_ok=True)
    work = folder / "work" / step
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    session = Session(
        spec=spec,
        before=[str(each) for each in before],
        out=str(store / step),
        beside=str(files),
        python_path=[str(files)],
        work=str(work),
    )

    def execute(text: str) -> None:
        code = shell.transform_cell(text)
        name = shell.compile.cache(code, raw_code=text)
        exec(compile(code, name, "exec"), shell.user_ns)

    current = StepSession(session, shell.user_ns, execute)
    current.begin()
    later = {name for each in every[position + 1 :] for name in _asked(each)}
    _current.update(session=current, values=values, out=store / step, later=later)


def end() -> None:
    """Hand over what this step made and changed.

    Raises ``HandoverError`` when something that a later step needs cannot be handed over.
    """
    committed = _current["session"].end()
    stuck = [
        f"{each.name}: {each.reason}"
        for each in committed.problems
        if each.name in _current["later"] or each.name.startswith("<file")
    ]
    if stuck:
        shutil.rmtree(_current["out"])
        raise HandoverError(
            "A later step needs what this one cannot hand over; export with fewer steps. "
            + "; ".join(stuck)
        )
    path = _current["out"] / "parameters.json"
    path.write_text(json.dumps(_current["values"]), encoding="utf-8")
    handed = sorted(name for unit in committed.exported for name in unit.names)
    print("Handed over:", ", ".join(handed) or "nothing")


def _know_magics(shell: Any) -> None:
    """Let ``%mlops_log`` print, and the other magics do nothing."""

    def mlops_log(line: str) -> None:
        for name, code in importlib.import_module("handover.arguments").expressions(line):
            print(name, "=", eval(code, shell.user_ns))

    shell.register_magic_function(mlops_log, "line", "mlops_log")
    for name in ("mlops_publish", "mlops_capture"):
        shell.register_magic_function(lambda line: None, "line", name)


def _asked(step: dict[str, Any]) -> list[str]:
    return [*step["reads"], *step["optional"], *step["state"]]


def _spec(given: dict[str, Any]) -> StepSpec:
    definitions = [Definition(**each) for each in given.pop("definitions", [])]
    return StepSpec(**given, definitions=definitions)


def _compare(step: str, values: dict[str, str], before: list[Path]) -> None:
    for each in before:
        path = each / "parameters.json"
        theirs = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        for name, value in values.items():
            if theirs.get(name, value) != value:
                raise HandoverError(
                    f"{name} is {value} in the step {step}, but was {theirs[name]} in the step "
                    f"{each.name}. Give every step the same value, and run from there again."
                )
