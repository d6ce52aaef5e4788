"""The model in use: versions, promotion, history, what people ask of it. Names no task."""
