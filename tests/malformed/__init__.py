"""Notebooks that are malformed in every way: each gives a result or one clear error.

``generator.make(kind, seed, folder)`` writes one; ``check.look(path)`` takes it through every
door that reads a notebook without running it; ``python -m tests.malformed`` does that at large.
"""
