"""LSTM against GRU, on tasks whose answer is known or published."""
