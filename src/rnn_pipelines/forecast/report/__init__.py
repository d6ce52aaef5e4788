"""What people see of forecasts."""
