"""Forecasting methods: linear models, Theta, networks and their ensemble, each with its out-of-fold forecasts."""
