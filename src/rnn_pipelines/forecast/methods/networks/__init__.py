"""Trained networks: inputs, corrections and contributions."""
