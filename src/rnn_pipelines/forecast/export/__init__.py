"""A forecaster as a folder that needs only NumPy and pandas."""
