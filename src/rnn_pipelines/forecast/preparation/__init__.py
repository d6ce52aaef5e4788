"""Checks and repairs of series, before windows are made of them."""
