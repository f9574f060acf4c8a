"""JSON from strangers: one verdict for each odd text, whichever wire it came on.

What we store is what every JSON consumer reads back as it was sent. Refused are therefore NaN and
infinities, numbers beyond the range of a double (1e400), integers outside -2^63..2^64-1, lone
surrogates (no UTF-8 exists for them) and anything nested more than 64 deep. Kept exactly: integers
of up to 64 bits, NUL, all of Unicode. Of a repeated key the last one counts; a byte order mark
before the first value is skipped.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

MAX_DEPTH = 64
INTEGERS = range(-(2**63), 2**64)

_DIGITS_ONLY = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))  # noqa: PLR2004 (0-9)
_LONG_RUN = b"0" * 19  # the shortest integer outside 64 bits has 19 digits
_LONG_INTEGER = re.compile(rb'"(?:[^"\\]|\\.)*+"|(-?[0-9]{19,}+)(?![0-9.eE])', re.DOTALL)
_OPENERS_ONLY = bytes(byte for byte in range(256) if byte not in b"{[,")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_CONTAINERS = frozenset((dict, list))
_SURROGATE = re.compile("[\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"
_TOO_DEEP = f"It is nested more than {MAX_DEPTH} deep."


class JsonError(ValueError):
    """A text that is not JSON, or not JSON that every consumer reads alike.

    `pointer` says where in the value, None where there is no value to point into.
    """

    reason = "malformed"

    def __init__(self, message: str, pointer: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Unstorable:
    """Stands for a value of a batch that was read but cannot be stored as it was sent."""

    value: Any
    problem: JsonError


def loads(text: bytes) -> Any:
    """Return the value of a whole JSON text; raises JsonError for whatever cannot be stored."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _look_again(text)
    else:
        if _has_long_integer(text):
            value = _look_again(text)
        elif not _may_be_deep(text):
            return value
    problem = problem_of(value)
    if problem:
        raise problem
    return value


def loads_each(text: bytes) -> Any:
    """Return the value of a JSON text, with `Unstorable` for what cannot be stored in it.

    If the value is an array its items are judged one by one, so that one cut emoji does not lose a
    batch. Raises JsonError if the text is no JSON at all. Depth is looked at only where orjson
    could not read the text: whoever serialises the value checks the rest (`dumps`).
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    else:
        if not _has_long_integer(text):
            return value
    value = _look_again(text)
    if isinstance(value, list):
        return [_judged(item) for item in value]
    return _judged(value)


def dumps(value: Any) -> bytes:
    """Return a value as compact JSON; raises JsonError if it cannot be stored."""
    try:
        text = orjson.dumps(value)
    except TypeError as error:  # orjson.JSONEncodeError, which is one
        raise problem_of(value) or JsonError(f"It cannot be written as JSON: {error}.") from error
    if _may_be_deep(text) and _is_deep(value):
        raise JsonError(_TOO_DEEP)
    return text


def text_of(value: Any, limit: int) -> str:
    """Return any value as a text for people, cut to `limit` characters. Raises nothing."""
    match value:
        case Unstorable():
            return text_of(value.value, limit)
        case bytes():
            text = value[: limit * 4].decode("utf-8", "replace")
        case str():
            text = value
        case _:
            try:
                text = orjson.dumps(value).decode()
            except TypeError:
                text = _text_of_odd(value)
    if len(text) > limit:
        text = text[: limit - 1] + "…" if limit else ""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def problem_of(value: Any) -> JsonError | None:
    """Say what in a value cannot be stored, and where; None if nothing."""
    # Depth-first without recursion: the members of each container on the way that are left to look
    # at, and the names that lead there. Pointers are made only where something is wrong.
    names: list[str | int] = []
    ways: list[Iterator[tuple[str | int, Any]]] = [iter([("", value)])]
    while ways:
        for name, item in ways[-1]:
            kind = type(item)
            if kind is dict or kind is list:
                if len(ways) > MAX_DEPTH:
                    return JsonError(_TOO_DEEP)
                names.append(name)
                if kind is list:
                    ways.append(iter(enumerate(item)))
                    break
                for key in item:
                    if not key.isascii() and _SURROGATE.search(key):
                        return JsonError("A key holds half of a surrogate pair.", _pointer(names))
                ways.append(iter(item.items()))
                break
            why = _why_not(item)
            if why:
                return JsonError(why, _pointer([*names, name]))
        else:
            ways.pop()
            if names:
                names.pop()
    return None


def values_in(text: bytes, enough: int) -> int:
    """Return about how many values and brackets a JSON text holds, without reading it.

    All but the first value follow a comma or a bracket. More than `enough` are counted again,
    without those in strings, unless there are so many strings that this would take long.
    """
    count = len(text.translate(None, _OPENERS_ONLY))
    if count > enough and text.count(b'"') < enough // 4:
        count = len(_STRING.sub(b"", text).translate(None, _OPENERS_ONLY))
    return count


def has_pointer(value: Any, pointer: str) -> bool:
    """Say whether a JSON pointer leads somewhere in a value."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return False
    return True


def escaped(token: str | int) -> str:
    """Return a key or an index as one token of a JSON pointer (RFC 6901)."""
    return str(token).replace("~", "~0").replace("/", "~1")


def _has_long_integer(text: bytes) -> bool:
    # orjson reads integers beyond 64 bits as floats, without a word. Looking for 19 digits in a
    # row costs a tenth of a regular expression, which is asked only if there are some.
    if _LONG_RUN not in text.translate(_DIGITS_ONLY):
        return False
    return any(
        int(match[1]) not in INTEGERS if len(match[1]) <= 20 else True  # noqa: PLR2004 (digits)
        for match in _LONG_INTEGER.finditer(text)
        if match[1]
    )


def _may_be_deep(text: bytes) -> bool:
    # Fewer brackets than levels allowed: no need to walk the value. They are counted by what is
    # shorter without them: `replace` finds a byte with memchr, `count` and `translate` look at all.
    without = text.replace(b"{", b"", MAX_DEPTH + 1).replace(b"[", b"", MAX_DEPTH + 1)
    return len(text) - len(without) > MAX_DEPTH


def _why_not(item: Any) -> str | None:
    """Say why a string, a number or a literal cannot be stored."""
    if isinstance(item, str):
        if not item.isascii() and _SURROGATE.search(item):
            return (
                "A string holds half of a surrogate pair, which UTF-8 cannot express "
                "(a text cut in the middle of an emoji?)."
            )
    elif isinstance(item, int):
        if item not in INTEGERS:
            return "An integer does not fit in 64 bits; send such numbers as strings."
    elif isinstance(item, float) and not math.isfinite(item):
        return "A number is NaN, infinite or too large for a double; JSON has no such number."
    return None


def _pointer(names: Sequence[str | int]) -> str:
    # The first name is that of the whole value, which has none.
    return "".join(f"/{escaped(name)}" for name in names[1:])


def _is_deep(value: Any) -> bool:
    # Level by level: all else was looked at by orjson, and there may be millions of arrays. JSON
    # has no other types than these two, and to ask isinstance takes three times as long.
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for each in level
            for item in (each.values() if type(each) is dict else each)
            if type(item) in _CONTAINERS
        ]
        if not level:
            return False
    return True


def _look_again(text: bytes) -> Any:
    """Read what orjson refuses or reads wrongly; the values may be unstorable."""
    try:
        return json.loads(text.removeprefix(_BOM).decode(), parse_int=_int_of)
    except UnicodeDecodeError as error:
        raise JsonError(
            f"It is not UTF-8: byte {text[error.start]:#04x} at position {error.start}."
        ) from error
    except json.JSONDecodeError as error:
        raise JsonError(
            f"It is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise JsonError("It is nested far too deeply.") from error


def _int_of(digits: str) -> int:
    # Python refuses to convert more than 4,300 digits; any such number is out of range anyway.
    return int(digits[:400])


def _judged(value: Any) -> Any:
    problem = problem_of(value)
    return Unstorable(value, problem) if problem else value


def _text_of_odd(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=repr)
    except (RecursionError, ValueError):
        return "(nested too deeply to show)"
