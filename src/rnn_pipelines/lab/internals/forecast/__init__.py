"""Gates and states of forecasting networks."""
