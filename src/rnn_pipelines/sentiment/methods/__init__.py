"""Classification methods: networks, naive Bayes on n-grams, calibration."""
