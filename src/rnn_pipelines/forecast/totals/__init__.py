"""Totals of forecasts over groups of series and calendar periods, with intervals from joint sample paths."""
