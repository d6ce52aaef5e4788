"""How good classifiers of texts are."""
