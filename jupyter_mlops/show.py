"""How the command line shows things: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.utils import canonicalize_name

from jupyter_mlops.errors import MlopsError, printable
from jupyter_mlops.events import Event, Log, OnEvent, Progress, Stage
from jupyter_mlops.runtime.parameters import Parameter, limits_text, type_text

if TYPE_CHECKING:
    from jupyter_mlops.analyze import Analysis
    from jupyter_mlops.deploy.models import Service
    from jupyter_mlops.environment.audit.models import Audit
    from jupyter_mlops.exports import Exported
    from jupyter_mlops.locking import EnvironmentReport, LockedNotebook
    from jupyter_mlops.pipeline.service_code import ServiceCode
    from jupyter_mlops.pipeline.slices import NameSlice
    from jupyter_mlops.predict import Predicted
    from jupyter_mlops.prune import Freed
    from jupyter_mlops.publish import Published
    from jupyter_mlops.rerun import Run
    from jupyter_mlops.serve import ServiceLog
    from jupyter_mlops.sign import Signed
    from jupyter_mlops.verify import Verification


def problems(error: MlopsError, *, as_json: bool) -> None:
    """Say what is wrong: as sentences, and as one JSON object where that was asked for."""
    for problem in error.problems:
        print(f"error: {problem.sentence()}", file=sys.stderr)
    if as_json:
        found = msgspec.to_builtins(error.problems)
        sys.stdout.write(json.dumps({"problems": found}) + "\n")


@contextmanager
def progress() -> Iterator[OnEvent]:
    """Yield a listener: bars on a terminal, a line per stage elsewhere."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[label]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def listen(event: Event) -> None:
            if isinstance(event, Stage) and event.state == "started":
                tasks[event.name] = bars.add_task(event.name, total=None, label="")
            elif isinstance(event, Stage) and event.name in tasks:
                mark = "" if event.state == "finished" else event.state
                bars.update(tasks[event.name], total=1, completed=1, label=mark)
                bars.stop_task(tasks[event.name])
            elif isinstance(event, Progress) and event.stage in tasks:
                bars.update(
                    tasks[event.stage], total=event.total, completed=event.done, label=event.label
                )
            elif isinstance(event, Log):
                bars.console.print(event.text, markup=False, highlight=False)

        yield listen


def _line(event: Event) -> None:
    if isinstance(event, Stage) and event.state != "started":
        seconds = f" {event.seconds:.2f} s" if event.seconds is not None else ""
        print(f"{event.name}: {event.state}{seconds}", file=sys.stderr)
    elif isinstance(event, Log):
        print(event.text, file=sys.stderr)


def say(text: str) -> None:
    """Print a text that others wrote, without what a terminal obeys."""
    print(printable(text))


def analysis(found: Analysis) -> None:
    """Show what a notebook needs, and every problem with its remedy."""
    say(f"{found.title} ({found.name})")
    if found.kernel:
        say(f"  kernel       {found.kernel.display_name}, Python {found.kernel.python}")
    say(f"  parameters   {found.parameters_source}")
    for parameter in found.parameters:
        say(f"    {parameter_text(parameter)}")
    for candidate in found.candidates:
        value = _shown(candidate.default)
        say(f"  candidate    {candidate.name}: {candidate.type} = {value}  # {candidate.why}")
    if found.candidates:
        say("               tag a cell 'parameters' and move those that you want into it")
    for note in found.notes:
        say(f"  note         {note}")
    say("  steps")
    for step in found.steps:
        first, last = step.cells[0], step.cells[-1]
        cells = f"cell {first}" if first == last else f"cells {first}-{last}"
        after = f", after {', '.join(step.after)}" if step.after else ""
        say(f"    {step.name} ({cells}{after})")
        for reason in step.merged:
            say(f"      kept together: {reason}")
    say("  packages")
    for item in found.dependencies:
        say(f"    {item.name} {item.version or '(not installed here)'}")
    for capture in found.captures:
        say(f"  captures     {capture.name} {capture.type}")
    say(f"  answers      {found.predictor.name or 'runs only: it has no model'}")
    say(f"  service      {_service_text(found.service_code)}")
    say(f"  target       {found.target}")
    for sign in found.hidden_state:
        say(f"  hidden state {sign.problem}. {sign.remedy}.")
    for problem in found.problems:
        say(f"  problem      {problem.sentence()}")


def _service_text(code: ServiceCode) -> str:
    """Return ``predict(rows) from cells 3, 4, 7``, or what answers without code."""
    if code.kind == "none":
        return "none"
    if code.kind == "estimator":
        return f"{code.model} itself"
    cells = f"cell{'s' if len(code.cells) > 1 else ''} {', '.join(map(str, code.cells))}"
    text = f"{code.call} from {cells}"
    return text if code.kind == "function" else f"{text} (a candidate: the run decides)"


def parameter_text(parameter: Parameter) -> str:
    """Return ``rate: float = 0.5  # 0..1; how fast it learns``."""
    notes = "; ".join(filter(None, [limits_text(parameter), parameter.description]))
    default = "" if parameter.required else f" = {_shown(parameter.default)}"
    text = f"{parameter.name}: {type_text(parameter)}{default}"
    return f"{text}  # {notes}" if notes else text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def published(result: Published) -> None:
    """Show what was published, and what to do with it next."""
    print(f"Published {result.name} v{result.version} (verified: {result.verified})")
    print(f"  reference  {result.reference}")
    print(f"  digest     {result.digest}")
    print(f"  sent       {bytes_text(result.pushed_bytes)} of {bytes_text(result.size)}")
    for name, value in sorted(result.metrics.items()):
        print(f"  {name:<10} {value:.6g}")
    if len(result.platforms) > 1:
        ran = "" if result.verified == "none" else " (run on the first only)"
        print(f"  platforms  {', '.join(result.platforms)}{ran}")
    say(f"  packages   {result.audit.headline()}")
    for line in result.audit.details():
        say(f"    {line}")
    if result.signed_by:
        print(f"  signed by  {result.signed_by[:16]}…")
    if result.report:
        print(f"  report     {result.report}")
    print(f"Serve it:     jupyter mlops serve {result.reference}")
    print(f"Run it again: jupyter mlops run {result.reference} -p NAME=VALUE")


def audited(found: Audit) -> None:
    """Show what is known of packages, and each of it."""
    say(found.headline())
    for line in found.details():
        say(f"  {line}")


def signed(result: Signed) -> None:
    """Show what was signed, and how others see that it was."""
    print(f"Signed {result.reference}")
    print(f"  digest     {result.digest}")
    print(f"  key        {result.key[:16]}…")
    for note in result.notes:
        print(f"  note       {note}")
    print(f"Verify it: jupyter mlops verify {result.reference} --key PUBLIC")


def verification(found: Verification) -> None:
    """Show what is verified, what is not there and what is wrong."""
    words = {"verified": "verified", "absent": "NOT THERE", "wrong": "WRONG"}
    print(f"{found.reference}: {'verified' if found.ok else 'NOT verified'}")
    print(f"  digest      {found.digest}")
    for check in found.checks:
        of = f" ({check.platform})" if check.platform else ""
        say(f"  {check.subject:<11} {words[check.state]}{of}: {check.text}")
    if found.ok:
        print(f"Deploy exactly this image: {found.pinned}")


def run(result: Run) -> None:
    """Show how a run ended."""
    print(f"Run {result.id} {result.state}")
    for name, value in result.parameters.items():
        print(f"  {name} = {value!r}")
    for name, value in sorted(result.metrics.items()):
        print(f"  {name}: {value:.6g}")
    print(f"  notebook: {result.output}")


def locked(result: LockedNotebook) -> None:
    """Show where a lock was written, and what it is for."""
    print(f"Wrote {result.output}: {result.packages} packages, Python {result.python}")
    print(f"  platform  {result.platform}")
    print(f"  sha256    {result.sha256}")
    print(f"Install it: uv pip install -r {result.output}")


def environment(found: EnvironmentReport) -> None:
    """Show what a notebook needs and why, what is locked with it, and what is in the way."""
    print(f"Python {found.python}, {found.platform or 'platform unknown'}")
    pinned = {item.name: item for item in found.locked}
    print("  needs")
    for need in found.direct:
        item = pinned.get(canonicalize_name(need.name))
        version = item.version if item else need.version or "(not installed here)"
        size = f", {bytes_text(item.size)}" if item and item.size is not None else ""
        print(f"    {need.name} {version}{size}: {need.why or ', '.join(need.modules)}")
    if found.locked:
        others = [item for item in found.locked if not item.direct]
        print(f"  locked     {len(found.locked)} packages, {bytes_text(found.size)} of wheels")
        largest = sorted(others, key=lambda item: item.size or 0, reverse=True)[:5]
        for item in largest:
            print(f"    {item.name} {item.version}, {bytes_text(item.size or 0)}")
    for lacking in found.system or []:
        package = f" (Debian: {lacking.package})" if lacking.package else ""
        print(f"  system     {lacking.name} for {lacking.needed_by}{package}")
    for question in found.questions:
        choices = ", ".join(question.candidates) or "unknown"
        print(f"  question   {question.module}: {choices}. {question.why}")
    for note in found.notes:
        print(f"  note       {note}")
    for problem in found.problems:
        print(f"  problem    {problem.sentence()}")


def pruned(result: Freed) -> None:
    """Show what was removed."""
    found, layers = result.environments, result.layers
    print(f"Removed {len(found.removed)} environments, {bytes_text(found.freed)}")
    for name in found.removed:
        print(f"  {name}")
    print(f"Removed {len(layers.removed)} layers, {bytes_text(layers.freed)}")
    print(f"{len(found.kept)} environments stay, and {bytes_text(layers.size)} of layers")


def predicted(result: Predicted) -> None:
    """Show what was predicted, and where it is."""
    print(f"Wrote {result.rows} predictions of {result.name} to {result.output}")
    print(f"  digest     {result.digest}")
    say(f"  columns    {', '.join(result.columns)}")


def exported(result: Exported) -> None:
    """Show what was written, and how to run it."""
    print(f"Wrote {len(result.steps)} steps to {result.output}")
    for name in result.notebooks or result.steps:
        print(f"  {name}")
    for note in result.notes:
        print(f"  kept together: {note}")
    if result.notebooks:
        print(f"Run it: sh {result.output}/run.sh -p NAME VALUE")


def sliced(result: NameSlice) -> None:
    """Show the code of a slice; how much of the notebook it is goes to standard error."""
    names = ", ".join(result.names)
    print(f"{names}: {len(result.cells)} of {result.of} cells", file=sys.stderr)
    sys.stdout.write(result.source)


def service(found: Service) -> None:
    """Show a service and how to call it."""
    print(f"Service {found.id} {found.state}: {found.url}  ({found.name or found.reference})")
    if found.state == "ready":
        print(f"Stop it: jupyter mlops stop {found.id}")


def service_log(found: ServiceLog) -> None:
    """Show what a service said, without what a terminal obeys."""
    for line in found.log.splitlines():
        say(line)


def services(found: dict[str, list[Service]]) -> None:
    """Show every service on a line."""
    for item in found["services"]:
        print(f"{item.id}  {item.state:<8} {item.with_:<8} {item.url}  {item.reference}")
    if not found["services"]:
        print("No services. Start one: jupyter mlops serve REF")


def bytes_text(count: int) -> str:
    """Return a number of bytes as a person reads it."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"
