"""Replaying recorded traffic through the old judge and the new pipeline, and what differs."""
