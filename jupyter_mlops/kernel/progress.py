"""Shows a job in a cell: a widget where ipywidgets is installed, lines of text elsewhere."""

from __future__ import annotations

import html
import sys
from typing import Any, Protocol

from jupyter_mlops.events import Event, Log, Progress, Stage

# The spine's stages: how far a publish is, before any of them tells its own progress.
STAGES = ("read", "environment", "lock", "run", "capture", "assemble", "build", "push", "record")


class View(Protocol):
    """What follows a job."""

    def show(self, event: Event) -> None:
        """Take the next event."""

    def close(self, state: str) -> None:
        """Show how it ended."""


def view_for(shell: Any, title: str) -> View:
    """Return a widget in a notebook that can show one, else text."""
    if hasattr(shell, "kernel"):
        try:
            return WidgetView(title)
        except ImportError:
            pass
    return TextView(title)


class TextView:
    """A line when a stage ends and for each message."""

    def __init__(self, title: str) -> None:
        _say(title)

    def show(self, event: Event) -> None:
        """Write the event, when it is worth a line."""
        match event:
            case Stage(name=name, state="finished", seconds=seconds):
                _say(f"  {name}: {seconds or 0:.1f} s")
            case Stage(name=name, state="skipped" | "failed" as state):
                _say(f"  {name}: {state}")
            case Log(text=text, level="warning" | "error"):
                _say(f"  {text}")
            case _:
                pass

    def close(self, state: str) -> None:
        """Write how it ended."""
        _say(state)


class WidgetView:
    """A title, a bar and the last message; raises ``ImportError`` without ipywidgets."""

    def __init__(self, title: str) -> None:
        import ipywidgets
        from IPython.display import display

        self._bar = ipywidgets.FloatProgress(
            min=0.0, max=float(len(STAGES)), layout=ipywidgets.Layout(width="100%")
        )
        self._label = ipywidgets.HTML(html.escape(title))
        self._last = ipywidgets.HTML()
        display(ipywidgets.VBox([self._label, self._bar, self._last]))
        self._title = title

    def show(self, event: Event) -> None:
        """Move the bar, or change the message."""
        match event:
            case Stage(name=name, state="started"):
                self._at(name, 0.0)
                self._label.value = f"{html.escape(self._title)}: <b>{html.escape(name)}</b>"
            case Stage(name=name):
                self._at(name, 1.0)
            case Progress(stage=name, done=done, total=total, unit=unit, label=label):
                self._at(name, done / total if total else 0.0)
                self._say(f"{label} {done} of {total} {unit}".strip())
            case Log(text=text):
                self._say(text)
            case _:
                pass

    def close(self, state: str) -> None:
        """Colour the bar by how it ended."""
        self._bar.bar_style = {"succeeded": "success", "running": ""}.get(state, "danger")
        if state == "succeeded":
            self._bar.value = self._bar.max
        self._label.value = f"{html.escape(self._title)}: <b>{html.escape(state)}</b>"
        self._last.value = ""

    def _at(self, stage: str, fraction: float) -> None:
        if stage in STAGES:
            self._bar.value = max(self._bar.value, STAGES.index(stage) + min(fraction, 1.0))

    def _say(self, text: str) -> None:
        self._last.value = f"<small>{html.escape(text)}</small>"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
