"""From a user's table to series: columns, values, times and covariates."""
