"""Prints how the corpus goes: ``python -m tests.equivalence [cells|auto|headings|none]``."""

from __future__ import annotations

import sys

from .corpus import CASES
from .harness import slice_table, table
from .oracle import Forked
from .ours import Ours
from .suite import Suite


def main(split: str = "cells") -> None:
    """Run every notebook with its own parameters and with one changed, then every slice."""
    with Forked(2) as oracle, Ours() as ours:
        suite = Suite(ours, oracle, workers=2)
        for changed in (False, True):
            print(f"\nSplit: {split}; {'one parameter changed' if changed else 'as it is'}")
            print(table(suite.verdicts(CASES, split=split, changed=changed)))
        print(slice_table(suite.slices(CASES)))


if __name__ == "__main__":
    main(*sys.argv[1:2])
