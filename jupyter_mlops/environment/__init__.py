"""From what a notebook imports to a lock, and to an environment made from that lock alone."""
