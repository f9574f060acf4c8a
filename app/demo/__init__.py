"""Schemas, streams and events that a newcomer meets first; data only."""
