"""JSON from strangers, against a slow reader that follows docs/http-api.md to the letter."""

import json
import math
from typing import Any

from app.core.json import INTEGERS, MAX_DEPTH, JsonError, Unstorable, dumps, loads, loads_each
from legacy.strictjson import loads as strict_loads
from tests.abuse.corpora.case import EVENT
from tests.abuse.corpora.jsontexts import JSON_TEXTS, WHOLE_EVENT
from tests.abuse.corpora.numbers import NUMBERS
from tests.fuzz.target import Target

BOM = b"\xef\xbb\xbf"


def one(data: bytes) -> None:
    """Read a text in every way that there is; all must come to the same."""
    try:
        expected = _reference(data)
    except (ValueError, RecursionError):
        _check_refused(data)
        return
    value = loads(data)
    assert repr(value) == repr(expected), "another value than it says"
    assert repr(loads_each(data)) == repr(value), "the two ways to read differ"
    assert repr(loads(dumps(value))) == repr(value), "it is not read back as it was written"
    if not data.startswith(BOM):
        assert repr(strict_loads(data)) == repr(value), "the old reader differs"


def _check_refused(data: bytes) -> None:
    for read in (loads, strict_loads):
        try:
            read(data)
        except ValueError as error:
            assert read is strict_loads or isinstance(error, JsonError)
        else:
            raise AssertionError("it was read, and must not be")
    try:
        value = loads_each(data)
    except JsonError:
        return
    # What is only too deep is found when it is written.
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Unstorable):
            return
    try:
        dumps(value)
    except JsonError:
        return
    raise AssertionError("it was read and written, and must not be")


def _reference(data: bytes) -> Any:
    # Of a repeated key the last value counts: what it takes the place of may be unstorable.
    value = json.loads(data.removeprefix(BOM).decode(), parse_int=_integer)
    _check(value, 0)
    return value


def _integer(digits: str) -> int:
    return int(digits[:100])  # which is out of range all the same


def _check(value: Any, depth: int) -> None:
    match value:
        case str():
            value.encode()  # UnicodeEncodeError is a ValueError
        case int() if value not in INTEGERS:
            raise ValueError("beyond 64 bits")
        case float() if not math.isfinite(value):
            raise ValueError("not finite")
        case dict() | list() if depth == MAX_DEPTH:
            raise ValueError("too deep")
        case dict():
            for key, inner in value.items():
                key.encode()
                _check(inner, depth + 1)
        case list():
            for inner in value:
                _check(inner, depth + 1)


def seeds() -> list[bytes]:
    """Return the corpora, without what is merely long."""
    texts = [
        case.text.replace(EVENT, WHOLE_EVENT)
        for cases in JSON_TEXTS.values()
        for case in cases
        if len(case.text) < 1_000
    ]
    return [*texts, *(n.text.encode() for n in NUMBERS if len(n.text) < 1_000), WHOLE_EVENT]


TARGET = Target("json", one, seeds)
