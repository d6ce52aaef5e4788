"""The complete text classifier: scoring texts and file format."""
