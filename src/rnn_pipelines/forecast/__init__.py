"""Forecasting of series, from the table to the report."""
