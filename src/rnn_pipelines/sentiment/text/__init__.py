"""Texts: reading, checking, splitting, cleaning and encoding of reviews from an archive or a table."""
