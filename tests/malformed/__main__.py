"""Looks at many malformed notebooks: ``python -m tests.malformed --count 20000``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict

from .generator import plan
from .kinds import KINDS
from .pool import Seen, look_at

WORDS = ("result", "problems", "refused", "wrong")


def table(every: list[Seen]) -> str:
    """Return kinds by outcome, as Markdown."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for seen in every:
        counts[seen.kind][seen.word] += 1
    rows = [[kind, *(str(counts[kind][word]) for word in WORDS)] for kind in sorted(counts)]
    total = Counter(seen.word for seen in every)
    rows.append(["all", *(str(total[word]) for word in WORDS)])
    head = ["kind", "analysed", "with problems", "refused", "wrong"]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        for row in [head, *rows]
    ]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def main() -> int:
    """Look, print what is wrong as it comes and the table at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=sorted(KINDS), help="only this one")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--said", action="store_true", help="show what refusals and problems say")
    options = parser.parse_args()
    planned = list(plan(options.count, options.seed))
    if options.kind:
        planned = [(options.kind, seed) for _, seed in planned]
    every = []
    for seen in look_at(planned, options.workers):
        every.append(seen)
        for fault in seen.wrong:
            print(f"{seen.kind} --seed {seen.seed}: {fault}", flush=True)
        for sentence in seen.said if options.said else ():
            print(f"{seen.kind} {seen.seed} said: {sentence}")
    print(table(every))
    return 1 if any(seen.wrong for seen in every) else 0


if __name__ == "__main__":
    sys.exit(main())
