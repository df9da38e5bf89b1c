"""The entry point of an image: ``python -m jupyter_mlops.runtime serve|run|steps|batch|check``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT_VARIABLE = "MLOPS_ROOT"
DEFAULT_ROOT = "/opt/mlops"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args(arguments)
    if options.verb == "run":
        return _run(options)
    if options.verb == "steps":
        from jupyter_mlops.runtime.steps.server import serve

        return serve(options.parallel)
    if options.verb == "batch":
        from jupyter_mlops.runtime.batch import serve as answer

        return answer(options.root)
    if options.verb == "check":
        return _check(options)
    if options.verb == "worker":
        return _work(options)
    return _serve(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jupyter_mlops.runtime", description=__doc__)
    default = os.environ.get(ROOT_VARIABLE) or DEFAULT_ROOT
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser("serve", help="answer HTTP")
    serve.add_argument("--host", default="0.0.0.0")
    serve.add_argument("--port", type=int, default=8080)
    run = verbs.add_parser("run", help="run a notebook with parameters")
    run.add_argument("--notebook", type=Path, required=True)
    run.add_argument("--output", type=Path, required=True)
    run.add_argument("--parameters", type=_object, default={}, help="a JSON object, or @FILE")
    run.add_argument("--journal", type=Path)
    run.add_argument("--events", help="a file for JSON lines, or - for the standard output")
    run.add_argument("--capture-request", type=Path)
    run.add_argument("--capture-dir", type=Path)
    run.add_argument("--publication", type=Path, help="checks the parameters against this file")
    run.add_argument("--cwd", type=Path)
    run.add_argument("--timeout", type=float, help="seconds for the whole run")
    run.add_argument("--trace", type=Path, help="a file for what each cell read and changed")
    steps = verbs.add_parser("steps", help="run steps of a pipeline, asked for on standard input")
    steps.add_argument("--parallel", type=int, default=1, help="how many steps at once")
    batch = verbs.add_parser("batch", help="predict blocks of rows from standard input")
    check = verbs.add_parser("check", help="predict the golden rows and compare exactly")
    worker = verbs.add_parser("worker", help="one process of a service; started by serve")
    for name in ("--part", "--workers", "--socket", "--link", "--memory"):
        worker.add_argument(name, type=int, required=True)
    worker.add_argument("--at-once", action="store_true")
    for verb in (serve, run, batch, check, worker):
        verb.add_argument("--root", type=Path, default=Path(default))
    return parser


def _object(text: str) -> dict[str, Any]:
    try:
        # A file keeps long parameters, and those that others must not see, off the command line.
        value = json.loads(Path(text[1:]).read_bytes() if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return value


def _run(options: argparse.Namespace) -> int:
    from jupyter_mlops.runtime.run import RunRequest, run

    known = RunRequest.__struct_fields__
    chosen = {name: value for name, value in vars(options).items() if name in known}
    return run(RunRequest(**chosen))


def _check(options: argparse.Namespace) -> int:
    from jupyter_mlops.runtime.check import check

    found = check(options.root)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0 if found["ok"] else 1


def _work(options: argparse.Namespace) -> int:
    from jupyter_mlops.runtime.worker import Place, work

    known = Place.__struct_fields__
    return work(Place(**{name: value for name, value in vars(options).items() if name in known}))


def _serve(options: argparse.Namespace) -> int:
    from jupyter_mlops.runtime.serve import serve

    return serve(options.root, options.host, options.port)


if __name__ == "__main__":
    sys.exit(main())
