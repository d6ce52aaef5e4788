"""Cross-validation, backtest and tuning."""
