"""From an archive or a table of reviews to ids: read, check, split, clean, count, encode."""
