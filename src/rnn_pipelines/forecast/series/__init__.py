"""From a source of series to windows over one array: read, check, split, scale, index."""
