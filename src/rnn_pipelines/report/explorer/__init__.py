"""A page in which a trained network runs in the browser."""
