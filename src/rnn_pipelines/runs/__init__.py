"""Runs: the results of a pipeline, which appear together, are kept, listed and compared. It names no task."""
