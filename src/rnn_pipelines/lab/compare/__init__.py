"""Comparison of simple RNN, LSTM and GRU on tasks with known or published results."""
