"""Readers of the old wires: pure functions from text to the modern event shape."""

from legacy.adapter import LegacyAdapter
from legacy.errors import LegacyError, MappingError
from legacy.mapping import Mapping, Target

__all__ = ["LegacyAdapter", "LegacyError", "Mapping", "MappingError", "Target"]
