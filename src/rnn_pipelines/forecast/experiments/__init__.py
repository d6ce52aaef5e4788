"""Cross-validation, backtests and tuning."""
