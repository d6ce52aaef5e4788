"""A model in use: retraining, the decision on a challenger, predictions, monitoring."""
