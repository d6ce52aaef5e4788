"""The trained forecaster: the artefact, forecasts of any length, contributions, and its files."""
