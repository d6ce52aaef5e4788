"""LSTM and GRU written from their equations: single steps, gates, whole sequences, and gradients through time."""
