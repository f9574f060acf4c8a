"""Formats of log lines: which columns a line has, in the words of the old configurations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Self

Kind = Literal["query", "json", "word", "text", "number", "iso", "seconds", "agent"]
"""What a column holds: `iso` and `seconds` are both a time in ISO 8601, read in different ways."""

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "2012-10": "%q %l %n %t",
        "2012-11": "%q %l %n %t %h",
        "2014-02": "%q %{recvFrom}s %{seqId}d %t %h %{userAgent}i",
        "2016-03": "%q %{recvFrom}s %{seqId}d %t %o %{userAgent}i",
        "2017-11": "%q %{recvFrom}s %{seqId}d %D %o %u",
        "2018-02": "%q %{recvFrom}s %{seqId}d %D %{ip}i %u",
        "server-side": "%{seqId}d EventLogging %j",
    }
)
"""The formats that were in use, by the month in which each began."""

CAPSULE = "capsule"

_MOMENT = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"
# Possessive where what follows cannot begin with what the column holds: same matches, linear time.
_FIXED: Mapping[str, tuple[str, Kind, str]] = {
    "q": (CAPSULE, "query", r"\?\S++"),
    "j": (CAPSULE, "json", r"\S++"),
    "l": ("recvFrom", "word", r"\S++"),
    "n": ("seqId", "number", r"\d++"),
    "h": ("clientIp", "word", r"\S++"),
    "t": ("timestamp", "seconds", _MOMENT),
    "D": ("dt", "iso", _MOMENT),
    "u": ("userAgent", "agent", r"[^\t]+"),
}
_NAMED: Mapping[str, tuple[Kind, str]] = {
    "s": ("word", r"\S++"),
    "d": ("number", r"\d++"),
    "i": ("text", r"[^\t]+"),
}
_LEFT_OUT = r"\S++"
_COLUMN = re.compile(r"%(?:\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\})?(?P<letter>[A-Za-z])")
_SEPARATOR = re.compile(r"( +|\t)")
_WITH_BLANKS = frozenset(("text", "agent"))


class FormatError(ValueError):
    """A format cannot be used; the message says why, to whoever configured it."""


@dataclass(frozen=True, slots=True)
class LineFormat:
    """How to take log lines apart. `columns` are what is kept of a line: name -> kind."""

    text: str
    columns: Mapping[str, Kind]
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a format, or the name of one of `FORMATS`; raises FormatError.

        A blank stands for any run of white space in the line, as it always did, and a tab for one
        tab. Columns of text may hold blanks themselves, so that of two of them with a blank between
        the first takes all it can; only the last two columns may stand so.
        """
        text = FORMATS.get(text, text).strip(" ")
        columns: dict[str, Kind] = {}
        parts = []
        kinds: list[str] = []
        for word in _SEPARATOR.split(text):
            if _SEPARATOR.fullmatch(word):
                parts.append(r"\t" if word == "\t" else r"\s+")
                kinds.append(word[0])
            else:
                name, kind, part = _column(word)
                if name in columns:
                    raise FormatError(f"It has two columns for {name}.")
                if name:
                    columns[name] = kind
                    part = f"(?P<{name}>{part})"
                parts.append(part)
                kinds.append(kind)
        if CAPSULE not in columns:
            raise FormatError("It has no column for the event: write %q, or %j for plain JSON.")
        _check_order(kinds)
        return cls(text, MappingProxyType(columns), re.compile("".join(parts)))

    def match(self, line: str) -> dict[str, str] | None:
        """Return what each column holds, None if the line has another form.

        As in the old system, whatever follows the last column is ignored.
        """
        found = self.pattern.match(line)
        return found.groupdict() if found else None


def _column(word: str) -> tuple[str, Kind, str]:
    """Return the name, the kind and the regex of one word of a format; no name: it is not kept."""
    if "%" not in word:
        if not word:
            raise FormatError("There is nothing where a column should be.")
        return "", "word", re.escape(word)
    column = _COLUMN.fullmatch(word)
    if not column:
        raise FormatError(f"{word} is no column; write one like %q or %{{name}}s, and a blank.")
    name, letter = column["name"], column["letter"]
    if letter == "o":
        return "", "word", _LEFT_OUT
    if name and letter in _NAMED:
        return name, *_NAMED[letter]
    if not name and letter in _FIXED:
        return _FIXED[letter]
    if letter in _NAMED:
        raise FormatError(f"{word} lacks a name: write %{{name}}{letter}.")
    if letter in _FIXED:
        raise FormatError(f"{word} takes no name: write %{letter}.")
    raise FormatError(f"{word} is no column; there are %q %j %l %n %t %D %h %o %u and %{{x}}s d i.")


def _check_order(kinds: list[str]) -> None:
    # Every further column of this sort would try each blank of the one before: the work for a line
    # would grow with the square of its length, or worse.
    for at, kind in enumerate(kinds):
        rest = kinds[at + 1 :]
        if kind in _WITH_BLANKS and rest and rest[0] == " ":
            if len(rest) == 2 and rest[1] in _WITH_BLANKS:  # noqa: PLR2004 (a blank, a column)
                return
            raise FormatError(
                "After a column that may hold blanks (%u, %{x}i) and a blank there can be only one "
                "more column, also of that sort, at the end; put tabs between them."
            )
