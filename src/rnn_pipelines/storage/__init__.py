"""Atomic writes, locks, formats, names that sort by time, and types of tables."""
