"""Preparation of series, from the source to windows over one array."""
