"""Strict legacy: the old system's exact judgement of what it was sent, for replays and proofs."""

from legacy.strict.history import HistoricParser
from legacy.strict.judge import Judgement, StrictLegacy
from legacy.strict.parser import StrictParser
from legacy.strict.schemas import OldSchemas

__all__ = ["HistoricParser", "Judgement", "OldSchemas", "StrictLegacy", "StrictParser"]
