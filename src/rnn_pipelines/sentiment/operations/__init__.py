"""A model in use: the decision on a challenger, predictions, monitoring."""
