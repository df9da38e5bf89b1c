"""Do the two oracles agree, and is the official one of one mind with itself?

``python -m tests.equivalence.agreement [--workers N] [--changed] [NAME…]`` runs every case twice
with papermill and once in a forked process, and prints where they differ; ``--changed`` is with
the changed parameters. Takes minutes.
"""

from __future__ import annotations

import argparse
import multiprocessing

from .case import Case
from .corpus import BY_NAME, CASES
from .harness import differences
from .oracle import Forked, Papermill
from .recorded import Recorded


def main() -> int:
    """Print the differences; the exit status is the number of cases that have any."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--changed", action="store_true")
    arguments.add_argument("names", nargs="*")
    given = arguments.parse_args()
    cases = [BY_NAME[name] for name in given.names] or CASES
    if given.changed:
        cases = [case for case in cases if case.parameters]
    bad = 0
    context = multiprocessing.get_context("spawn")
    with Forked(1) as forked, context.Pool(given.workers) as pool:
        official = pool.imap(_twice, [(case.name, given.changed) for case in cases])
        for case, (first, second) in zip(cases, official, strict=True):
            found = [f"twice: {text}" for text in differences(first, second)]
            found += [
                f"forked: {text}"
                for text in differences(first, forked.run(case, _given(case, given.changed)))
            ]
            bad += bool(found)
            for text in found:
                print(f"{case.theme}/{case.name}: {text}", flush=True)
    print(f"{len(cases)} cases, {bad} on which oracles differ")
    return bad


def _given(case: Case, changed: bool) -> dict[str, object]:
    return case.parameters if changed else {}


def _twice(what: tuple[str, bool]) -> tuple[Recorded, Recorded]:
    name, changed = what
    case = BY_NAME[name]
    given = _given(case, changed)
    return Papermill().run(case, given), Papermill().run(case, given)


if __name__ == "__main__":
    raise SystemExit(main())
