"""What a run really did, cell by cell: names read, bound and changed, state, files."""
