"""Linear models: their matrices for each normalisation."""
