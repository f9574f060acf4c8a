"""JSON as every consumer understands it: what Python alone reads, or cannot write, is refused."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
INTEGERS = range(-(2**63), 2**64)

_SURROGATE = re.compile("[\ud800-\udfff]")
_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"


def loads(text: bytes | str) -> Any:
    """Return the value of a JSON text; raises ValueError, and nothing else.

    Refused beyond what is no JSON: a byte order mark, bytes that are not UTF-8, NaN and numbers too
    large for a double, integers outside -2^63 to 2^64-1, halves of surrogate pairs, and arrays and
    objects nested more than 64 deep. Of a key given twice the last counts.
    """
    try:
        value = _DECODER.decode(text.decode() if isinstance(text, bytes) else text)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _check(value)
    return value


def _check(value: Any) -> None:
    stack = [(value, 0)]
    while stack:
        value, depth = stack.pop()
        match value:
            case str():
                _check_text(value)
            case int() if value not in INTEGERS:
                raise ValueError("an integer that does not fit in 64 bits")
            case float() if not math.isfinite(value):
                raise ValueError("a number that is NaN, infinite or too large for a double")
            case dict() | list() if depth == MAX_DEPTH:
                raise ValueError(_TOO_DEEP)
            case dict():
                for key in value:
                    _check_text(key)
                stack.extend((item, depth + 1) for item in value.values())
            case list():
                stack.extend((item, depth + 1) for item in value)


def _check_text(text: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueError("half of a surrogate pair, which is no character")


def _integer(digits: str) -> int | float:
    # Python refuses to convert more than 4300 digits on its own terms; we refuse far fewer.
    return int(digits) if len(digits) <= 400 else math.inf  # noqa: PLR2004 (beyond any double)


_DECODER = json.JSONDecoder(parse_int=_integer)
