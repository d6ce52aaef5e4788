"""The model in use: versions, promotion, history and inspection. Independent of the task."""
