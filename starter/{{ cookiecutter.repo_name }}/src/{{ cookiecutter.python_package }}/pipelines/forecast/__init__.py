"""Forecasts of each series of a table."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
