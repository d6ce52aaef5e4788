"""What people see of classifiers."""
