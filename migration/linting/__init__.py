"""The rules that a schema repository keeps, and what breaks them, with file and line."""
