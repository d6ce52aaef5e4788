"""Runs: the results of a pipeline, which are published together, kept, listed and compared. Independent of the task."""
