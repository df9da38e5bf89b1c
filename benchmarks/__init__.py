"""Side-by-side measurements against real peers, in one run on one machine: ``make bench``."""
