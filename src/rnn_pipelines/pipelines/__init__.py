"""Wiring only: which function reads what, and what its results are called."""
