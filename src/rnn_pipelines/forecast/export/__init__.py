"""A forecaster as a folder that predicts without the project."""
