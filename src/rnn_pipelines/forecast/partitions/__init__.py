"""Panels that are larger than memory: their partitions, files and surveys."""
