"""Files that are replaced whole, locks, formats, names in order of time, types of tables."""
