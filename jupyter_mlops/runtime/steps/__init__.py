"""Runs the steps of a pipeline, each in a kernel that is forked from a prepared process."""
