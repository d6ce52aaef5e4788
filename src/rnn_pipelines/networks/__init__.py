"""Recurrent networks and their training, for all tasks."""
