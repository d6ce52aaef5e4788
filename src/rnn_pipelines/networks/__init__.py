"""Recurrent layers and how they are trained, whatever the task."""
