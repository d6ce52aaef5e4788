"""Prediction intervals: sizes, pools and quantiles of errors, and sample paths."""
