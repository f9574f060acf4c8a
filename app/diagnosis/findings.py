"""What an examination finds: one sentence each, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]
Area = Literal[
    "settings",
    "kafka",
    "topics",
    "schemas",
    "streams",
    "sink",
    "spool",
    "auth",
    "clock",
    "limits",
]

MAX_LISTED = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` says what to do unless all is well."""

    level: Level
    area: Area
    text: str
    advice: str = ""


def ok(area: Area, text: str) -> Finding:
    """Return a finding that needs nobody."""
    return Finding("ok", area, text)


def warning(area: Area, text: str, advice: str) -> Finding:
    """Return a finding that somebody should know of; the service works all the same."""
    return Finding("warning", area, text, advice)


def problem(area: Area, text: str, advice: str) -> Finding:
    """Return a finding that somebody must act on."""
    return Finding("problem", area, text, advice)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 topic, 2 topics, 2 repositories."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{number:,} {noun}s"


def listed(names: Iterable[object], most: int = MAX_LISTED) -> str:
    """Return names with commas; those beyond `most` are counted."""
    words = [str(name) for name in names]
    left = len(words) - most
    shown = ", ".join(words[:most])
    return f"{shown} and {left:,} more" if left > 0 else shown


def sized(size: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:  # noqa: PLR2004 (the step between units)
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"
