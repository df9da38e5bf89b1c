"""Run every benchmark and print the tables: ``python -m benchmarks [NAME…] [--rounds N]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from benchmarks import analysis, environment, publish, serving
from benchmarks.table import Grid, Table, Tables, machine

BENCHMARKS: dict[str, Callable[[int], Table | Grid | Tables]] = {
    "analysis": analysis.measure,
    "environment": environment.measure,
    "publish": publish.measure,
    "serving": serving.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], default=[])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(machine(), flush=True)
    for name in options.names or BENCHMARKS:
        table = BENCHMARKS[name](options.rounds)
        print(table.text(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
