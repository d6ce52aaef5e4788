"""Reports and figures of forecasts."""
