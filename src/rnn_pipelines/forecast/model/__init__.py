"""The model that forecasts: the artefact, forecasts of any length, contributions, and its files."""
