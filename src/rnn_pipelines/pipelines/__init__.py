"""The pipelines: the wiring of functions to datasets and parameters."""
