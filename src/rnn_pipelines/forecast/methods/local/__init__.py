"""Local methods: each forecasts a series from its own values."""
