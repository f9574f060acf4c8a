"""What lint finds: the rule that is broken, where, and how that could be mended."""

from dataclasses import dataclass
from pathlib import Path

from app.schemas.keywords import Path as Steps
from migration.materializefiles import Link

Problem = tuple[Steps, str]
"""Where in a document, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A text to be put in place of another one. `start` and `end` are line (from 0) and column."""

    path: Path
    start: tuple[int, int]
    end: tuple[int, int]
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule. `names` are the URIs by which exceptions may speak of the schema."""

    rule: str
    path: Path
    line: int
    message: str
    pointer: str = ""
    names: tuple[str, ...] = ()
    fix: Edit | Link | None = None
