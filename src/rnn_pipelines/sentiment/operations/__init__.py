"""Operations of classifiers in use: retraining, the decision on a challenger, prediction and monitoring."""
