"""What outlives a run: files that are whole or not there."""
