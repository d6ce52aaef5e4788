"""Gates and states of text classifiers."""
