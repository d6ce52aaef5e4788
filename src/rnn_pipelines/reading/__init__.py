"""Reading of the user's files: CSV dialects, Excel, numbers, times and time zones."""
