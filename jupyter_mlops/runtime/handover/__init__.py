"""Hands the state of a notebook from one step's process to the next, by files."""
