"""What matches a regular expression: how long it is, and a few examples, short ones first.

An example need not match, where an expression uses what is not known here: whoever asks has to
look. A length is told only if it is sure.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_TEXT = 4096
_TRIES = 6
_STRETCHES = (0, 1, 2, 7, 19)
_DIGITS = "0123456789"
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_" + _DIGITS
_POOL = "".join(map(chr, range(32, 127))) + "é\n"
_CLASSES = {
    "d": _DIGITS,
    "w": _WORD,
    "s": " \t\n",
    "D": "".join(char for char in _POOL if char not in _DIGITS),
    "W": "".join(char for char in _POOL if char not in f"{_WORD}é"),
    "S": "".join(char for char in _POOL if char not in " \n"),
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_NAME = re.compile(r"P?<[A-Za-z_]\w*>")
_REPEATS = frozenset("*+?{")
_ANY = "a0-_ é"

Make = Callable[[random.Random, int], str]
"""Makes a text; the number says how far repetitions go beyond what they must."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of an expression: how to make a text for it, and how long such texts are.

    `most` None: without end.
    """

    make: Make
    least: int
    most: int | None


def lengths_of(pattern: str) -> tuple[int, int | None]:
    """Return how many characters a text needs and may have in which a pattern is found."""
    branches = _branches_of(pattern)
    if not branches:
        return 0, None
    found = _either(branches)
    whole = pattern.startswith("^") and pattern.endswith("$") and pattern[-2:-1] != "\\"
    return found.least, found.most if whole and len(branches) == 1 else None


def texts_of(pattern: str, *, stretches: tuple[int, ...] = ()) -> Iterator[str]:
    """Yield texts that a pattern should be found in; nothing if it cannot be read."""
    branches = _branches_of(pattern)
    if not branches:
        return
    made = _either(branches)
    for stretch in (*_STRETCHES, *stretches):
        for seed in range(_TRIES):
            text = made.make(random.Random(seed), stretch)  # noqa: S311 (examples, not secrets)
            if len(text) <= MAX_TEXT:
                yield text


def _branches_of(pattern: str) -> list[_Piece]:
    """Return what a pattern lets choose from; nothing if it cannot be read."""
    reader = _Reader(pattern)
    try:
        branches = reader.branches()
    except (IndexError, ValueError):
        return []
    return branches if reader.at == len(pattern) else []


@dataclass(slots=True)
class _Reader:
    """Reads an expression from left to right."""

    text: str
    at: int = 0

    def branches(self) -> list[_Piece]:
        branches = [self._sequence()]
        while self._next("|"):
            branches.append(self._sequence())
        return branches

    def _sequence(self) -> _Piece:
        pieces: list[_Piece] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            piece = self._piece()
            if piece is not None:
                pieces.append(self._repeated(piece))
            if self.text[self.at : self.at + 1] in _REPEATS:
                raise ValueError("a repetition of an anchor or of a repetition")
        return _in_a_row(pieces)

    def _piece(self) -> _Piece | None:
        char = self._take()
        match char:
            case "^" | "$":
                return None
            case "(":
                return self._group()
            case "[":
                return _one_of(self._class())
            case ".":
                return _one_of(_ANY)
            case "\\":
                letter = self._take()
                return None if letter in "bBAzZ" else _one_of(self._escaped(letter))
            case _:
                return _one_of(char)

    def _group(self) -> _Piece:
        if self._next("?") and not self._next(":"):
            name = _NAME.match(self.text, self.at)
            if name is None:
                raise ValueError("looks around, or sets a flag")
            self.at = name.end()
        inner = _either(self.branches())
        if self._take() != ")":
            raise ValueError("a group without an end")
        return inner

    def _class(self) -> str:
        negated = self._next("^")
        if self._next("]"):
            raise ValueError("engines do not agree on what this means")
        chars = ""
        while not chars or self.text[self.at] != "]":
            char = self._take()
            if char == "[":
                raise ValueError("a class within a class")
            found = self._escaped(self._take()) if char == "\\" else char
            if len(found) == 1 and self._next("-"):
                if self.text[self.at] == "]":
                    found += "-"
                else:
                    last = self._take()
                    last = self._escaped(self._take()) if last == "\\" else last
                    if len(last) != 1:
                        raise ValueError("a range to a class")
                    found = _between(found, last)
            chars += found
        self._take()
        if not negated:
            return chars
        return "".join(char for char in _POOL if char not in chars) or "\u4e00"

    def _escaped(self, letter: str) -> str:
        if letter in "xu":
            size = 2 if letter == "x" else 4
            self.at += size
            return chr(int(self.text[self.at - size : self.at], 16))
        found = _CLASSES.get(letter) or _ESCAPES.get(letter)
        if found is None and letter.isalnum():
            raise ValueError("not read here: engines have many such escapes")
        return found or letter

    def _repeated(self, piece: _Piece) -> _Piece:
        least: int
        most: int | None
        if self._next("*"):
            least, most = 0, None
        elif self._next("+"):
            least, most = 1, None
        elif self._next("?"):
            least, most = 0, 1
        elif self._next("{"):
            end = self.text.index("}", self.at)
            low, comma, high = self.text[self.at : end].partition(",")
            least = int(low)  # engines do not agree on what a repetition without it means
            most = (int(high) if high else None) if comma else least
            self.at = end + 1
        else:
            return piece
        self._next("?")

        def make(rng: random.Random, stretch: int) -> str:
            count = min(least + stretch, MAX_TEXT if most is None else most)
            return "".join(piece.make(rng, stretch) for _ in range(count))

        longest = None if most is None or piece.most is None else piece.most * most
        return _Piece(make, piece.least * least, longest)

    def _take(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _next(self, char: str) -> bool:
        found = self.text.startswith(char, self.at)
        self.at += found
        return found


def _in_a_row(pieces: list[_Piece]) -> _Piece:
    return _Piece(
        lambda rng, stretch: "".join(piece.make(rng, stretch) for piece in pieces),
        sum(piece.least for piece in pieces),
        _unless_none(sum, [piece.most for piece in pieces]),
    )


def _either(pieces: list[_Piece]) -> _Piece:
    return _Piece(
        lambda rng, stretch: rng.choice(pieces).make(rng, stretch),
        min(piece.least for piece in pieces),
        _unless_none(max, [piece.most for piece in pieces]),
    )


def _unless_none(together: Callable[[list[int]], int], lengths: list[int | None]) -> int | None:
    known = [length for length in lengths if length is not None]
    return together(known) if len(known) == len(lengths) else None


def _between(first: str, last: str) -> str:
    """Return characters of a range: all that may be asked for here, and its ends."""
    inside = [char for char in _POOL if first <= char <= last]
    return "".join(dict.fromkeys((first, chr((ord(first) + ord(last)) // 2), last, *inside)))


def _one_of(chars: str) -> _Piece:
    return _Piece(lambda rng, _stretch: rng.choice(chars), 1, 1)
