"""The magics that ``%load_ext jupyter_mlops`` adds: log, capture, publish.

Ships in images, where only ``%mlops_log`` has something to do: the standard library, IPython and
msgspec are all that is imported here.
"""

from __future__ import annotations

import operator
import os
import sys
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from jupyter_mlops.kernel.arguments import expressions
from jupyter_mlops.kernel.session import experiment_of, notebook_of
from jupyter_mlops.kernel.sink import Sink, open_sink
from jupyter_mlops.runtime.journal import VARIABLE


def register(shell: Any) -> None:
    """Make the magics known to a shell."""
    shell.register_magics(MlopsMagics)
    transforms = shell.input_transformers_cleanup
    if step_mark not in transforms:
        transforms.append(step_mark)


def step_mark(lines: list[str]) -> list[str]:
    """Make a comment of ``%%mlops_step NAME``: it names a step, and the cell runs as any other."""
    for number, line in enumerate(lines):
        if line.startswith("%%mlops_step"):
            name = line.removeprefix("%%mlops_step").strip()
            return [*lines[:number], f"# step: {name}\n", *lines[number + 1 :]]
        if line.strip():
            break
    return lines


@magics_class
class MlopsMagics(Magics):
    """Log metrics from a notebook, and publish it."""

    _sink: Sink | None = None

    @no_var_expand
    @line_magic
    def mlops_log(self, line: str) -> None:
        """Log values of this run: ``%mlops_log loss=loss accuracy=hits / total step=epoch``.

        Values are Python expressions of numbers or texts; ``**mapping`` logs all of a dict, and
        ``step`` is the step of all the others. Inside a run they go to the run; in a live kernel
        to MLflow.
        """
        try:
            values, step = self._evaluated(line)
            sink = self._open()
            sink.log(values, step)
        except (ValueError, TypeError) as error:
            raise UsageError(str(error)) from None
        except OSError as error:
            raise UsageError(f"The values could not be written: {error}") from None

    def _evaluated(self, line: str) -> tuple[dict[str, Any], int | None]:
        values: dict[str, Any] = {}
        for name, code in expressions(line):
            try:
                value = eval(code, self.shell.user_ns)
            except Exception as error:
                raise ValueError(f"{name}: {type(error).__name__}: {error}") from None
            if name == "**":
                values.update(_mapping(value))
            else:
                values[name] = value
        step = _step(values.pop("step")) if "step" in values else None
        if not values:
            raise ValueError("There is a step but nothing to log; add name=value")
        return values, step

    def _open(self) -> Sink:
        if self._sink is None:
            try:
                self._sink = open_sink(experiment_of(self.shell.user_ns))
            except ImportError:
                raise ValueError(
                    f"There is nowhere to log to: {VARIABLE} is not set and the full "
                    "jupyter_mlops package is not installed here"
                ) from None
            if self._sink.note:
                sys.stdout.write(self._sink.note + "\n")
        return self._sink

    @no_var_expand
    @line_magic
    def mlops_capture(self, line: str) -> None:
        """Have a publish save these names, too: ``%mlops_capture scaler vocabulary``.

        They are saved as they are at the end of the verified run. In a live kernel it says how;
        inside a run there is nothing to do, for the line itself was read before.
        """
        from jupyter_mlops.kernel.capturing import described, names_of

        try:
            names = names_of(line)
            if not os.environ.get(VARIABLE):
                for text in described(names, self.shell.user_ns):
                    sys.stdout.write(f"{text}\n")
        except ValueError as error:
            raise UsageError(str(error)) from None

    @magic_arguments()
    @argument(
        "words",
        nargs="*",
        metavar="[NOTEBOOK.ipynb] [TARGET]",
        help="the notebook, when the kernel does not know it; "
        "where to: registry/repository[:tag] or oci:DIRECTORY[:tag]",
    )
    @argument(
        "--verify",
        choices=("full", "none"),
        default="full",
        help="full: run the notebook from its own lock before it is pushed",
    )
    @argument(
        "--capture",
        dest="captures",
        action="append",
        metavar="NAME",
        help="a name to save, too; may be given several times",
    )
    @argument(
        "--from-kernel",
        action="store_true",
        help="save the objects of this kernel as they are now, instead of running the notebook",
    )
    @argument("--model", help="name of the variable that predicts, when there are several")
    @argument(
        "--predict", help="name of the function that answers, when the notebook has no predict"
    )
    @argument(
        "--platform",
        dest="platforms",
        action="append",
        metavar="linux/arm64",
        help="of an image; several, with the kernel's own, make an index",
    )
    @line_magic
    def mlops_publish(self, line: str) -> Any:
        """Publish this notebook as it was last saved, and follow it to its result."""
        options = parse_argstring(self.mlops_publish, line)
        if os.environ.get(VARIABLE):
            # A notebook that publishes itself must also run while it is being published.
            sys.stdout.write("Not published: this is a run of the notebook.\n")
            return None
        try:
            from jupyter_mlops.kernel.publishing import publish
        except ImportError:
            raise UsageError(
                "Publishing needs the full jupyter_mlops package; what is here can only log. "
                "Install it where you edit the notebook: pip install jupyter_mlops"
            ) from None
        named, target = _notebook_and_target(options.words)
        notebook = named or notebook_of(self.shell.user_ns)
        if not notebook:
            raise UsageError(
                "The kernel does not know which notebook this is; "
                "say it: %mlops_publish NOTEBOOK.ipynb"
            )
        request = {
            "path": str(notebook),
            "target": target,
            "verify": options.verify,
            "model": options.model,
            "predict": options.predict,
            "captures": options.captures,
            "platforms": options.platforms,
        }
        return publish(self.shell, request, from_kernel=options.from_kernel)


def _notebook_and_target(words: list[str]) -> tuple[str | None, str | None]:
    notebooks = [word for word in words if word.endswith(".ipynb")]
    targets = [word for word in words if not word.endswith(".ipynb")]
    if len(notebooks) > 1 or len(targets) > 1:
        raise UsageError("Too much was given; write %mlops_publish [NOTEBOOK.ipynb] [TARGET]")
    return next(iter(notebooks), None), next(iter(targets), None)


def _mapping(value: Any) -> dict[str, Any]:
    try:
        return {str(name): item for name, item in dict(value).items()}
    except (TypeError, ValueError):
        raise ValueError(f"A {type(value).__name__} is not a mapping of names to values") from None


def _step(value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f"step must be a whole number, not {value!r}") from None
