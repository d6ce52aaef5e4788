"""Gates and states of trained networks."""
