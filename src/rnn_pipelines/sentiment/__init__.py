"""Sentiment of texts, from the table to the report."""
