"""Sluiceway: an event stream intake service."""

__version__ = "0.1.0"
