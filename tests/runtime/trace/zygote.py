"""Runs notebooks' cells under the tracer, each in a fork of this process: a request a line."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any


def make_shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    return InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))


def run(request: dict[str, Any]) -> dict[str, Any]:
    from IPython.utils.capture import capture_output

    from jupyter_mlops.runtime.trace.recorder import Recorder

    shell = make_shell()
    cells = request["cells"]
    options = request["options"]
    numbers = options.pop("numbers", list(range(1, len(cells) + 1)))
    path = Path("trace.jsonl").absolute()
    recorder = Recorder(shell, path, numbers, **options)
    if request["traced"]:
        recorder.start()
    shown = []
    for number, cell in enumerate(cells, 1):
        if number == request["breaks"]:
            recorder._end = None  # type: ignore[assignment,method-assign]
        with capture_output() as captured:
            result = shell.run_cell(cell, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__)] if error else []
        shown.append({"out": captured.stdout, "value": repr(result.result), "lines": lines[-2:]})
    text = path.read_text() if path.exists() else ""
    return {"lines": [json.loads(line) for line in text.splitlines()], "shown": shown}


def main() -> None:
    import pandas  # noqa: F401

    import jupyter_mlops.runtime.trace.recorder  # noqa: F401

    make_shell()

    for line in sys.stdin:
        descriptor, name = tempfile.mkstemp()
        os.close(descriptor)
        child = os.fork()
        if child == 0:
            with tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                try:
                    answer = run(json.loads(line))
                except BaseException:
                    answer = {"error": traceback.format_exc()}
                Path(name).write_text(json.dumps(answer))
                os.chdir("/")
            os._exit(0)
        os.waitpid(child, 0)
        print(Path(name).read_text(), flush=True)
        Path(name).unlink()


if __name__ == "__main__":
    main()
