"""Figures and reports: what a run says to people."""
