"""The user's files: dialects of CSV, Excel, numbers, times and time zones."""
