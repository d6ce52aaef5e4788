"""One look for all reports: the page, the figures' style, tables. Names no task."""
