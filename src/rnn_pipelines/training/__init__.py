"""Training and using networks: batches, fit, predict."""
