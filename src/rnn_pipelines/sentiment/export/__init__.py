"""A text classifier as a model that MLflow serves."""
