"""Forecasting of time series, from the table to the report."""
