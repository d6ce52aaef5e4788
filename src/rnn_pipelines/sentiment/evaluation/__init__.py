"""Evaluation of text classifiers: metrics, holdout, drift and examples."""
