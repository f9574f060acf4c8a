"""Formats of log lines, read as the old releases read them: a regular expression in disguise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from legacy.formats import CAPSULE, FORMATS, FormatError, Kind

LETTERS_2014 = "dhijlnqst"
LETTERS_2016 = "dijqsto"
LAST_LETTERS = "dDijoqstu"

_MOMENT = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"
# What a column is called (None: as the format says), what it holds, and how it is recognised.
_COLUMNS: Mapping[str, tuple[str | None, Kind | None, str]] = {
    "d": (None, "number", r"\d+"),
    "D": ("dt", "iso", _MOMENT),
    "h": ("clientIp", "word", r"\S+"),
    "i": (None, "text", r"[^\t]+"),
    "j": (CAPSULE, "json", r"\S+"),
    "l": ("recvFrom", "word", r"\S+"),
    "n": ("seqId", "number", r"\d+"),
    "o": ("omit", None, r"\S+"),
    "q": (CAPSULE, "query", r"\?\S+"),
    "s": (None, "word", r"\S+"),
    "t": ("timestamp", "seconds", _MOMENT),
    "u": ("userAgent", "agent", r"[^\t]+"),
}


@dataclass(frozen=True, slots=True)
class StrictFormat:
    """How a release took lines apart; `columns` are what it kept: name -> kind."""

    columns: Mapping[str, Kind]
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, text: str, letters: str = LAST_LETTERS) -> Self:
        """Read a format, or the name of one of `FORMATS`; raises FormatError.

        `letters` are those that the release knew. Everything else was a part of the expression as
        it stands, an unknown `%x` as well, and a blank any run of white space.
        """
        columns: dict[str, Kind] = {}

        def group(found: re.Match[str]) -> str:
            given, letter = found["name"], found["letter"]
            fixed, kind, pattern = _COLUMNS[letter]
            if (fixed is None) == (given is None):
                raise FormatError(
                    f"%{letter} needs a name: write %{{name}}{letter}."
                    if fixed is None
                    else f"%{letter} takes no name."
                )
            name = fixed or given
            if kind is not None:
                columns[name] = kind
            return f"(?P<{name}>{pattern})"

        expression = FORMATS.get(text, text).replace(" ", r"\s+")
        column = rf"(?<!%)%(?:\{{(?P<name>\w+)\}})?(?P<letter>[{letters}])"
        try:
            pattern = re.compile(re.sub(column, group, expression))
        except re.error as error:
            raise FormatError(f"It is no regular expression: {error}.") from error
        if CAPSULE not in columns:
            raise FormatError("It has no column for the event: write %q, or %j for plain JSON.")
        return cls(MappingProxyType(columns), pattern)

    def match(self, line: str) -> dict[str, str] | None:
        """Return what each kept column holds, None if the line does not begin so."""
        found = self.pattern.match(line)
        return {name: found[name] for name in self.columns} if found else None
