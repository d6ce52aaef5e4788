"""Judging forecasts: metrics, and the simple methods that every network stands beside."""
