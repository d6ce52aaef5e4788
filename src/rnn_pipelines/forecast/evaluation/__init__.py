"""Evaluation of forecasts: metrics, significance, coverage and drift."""
