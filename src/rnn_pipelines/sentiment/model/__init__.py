"""The text classifier as it is used and saved."""
