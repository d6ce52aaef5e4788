"""LSTM and GRU written out from their equations: a step, its gates, whole sequences, and gradients through time."""
