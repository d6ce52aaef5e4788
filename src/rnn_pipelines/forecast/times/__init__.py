"""Times of series: frequencies, grids, calendars and holidays."""
