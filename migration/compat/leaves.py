"""Single keywords judged by the validators themselves, so that nobody here has to imitate them."""

import json
from functools import lru_cache
from typing import Any

import jsonschema_rs as rs
from jsonschema import Draft3Validator

from app.schemas.formats import PATTERNS

_REMEMBERED = 4096
_OLD_NAMES = {"multipleOf": "divisibleBy"}


def takes(keyword: str, operand: Any, value: Any, *, old: bool) -> bool:
    """Say whether a value passes one keyword; `old` asks the old system's validator.

    For keywords without schemas in them: enum, pattern, multipleOf and such.
    """
    text = json.dumps(operand, sort_keys=True)
    if old:
        return bool(_old(keyword, text).is_valid(value))
    return _new(keyword, text).is_valid(value)


def pattern_of_format(name: Any) -> str | None:
    """Return the pattern that the service checks a format by, None if it checks nothing."""
    return PATTERNS.get(name) if isinstance(name, str) else None


@lru_cache(_REMEMBERED)
def _new(keyword: str, operand: str) -> rs.Draft7Validator:
    return rs.Draft7Validator(
        {keyword: json.loads(operand)},
        validate_formats=False,
        pattern_options=rs.RegexOptions(),
        offline=True,
    )


@lru_cache(_REMEMBERED)
def _old(keyword: str, operand: str) -> Draft3Validator:
    return Draft3Validator({_OLD_NAMES.get(keyword, keyword): json.loads(operand)})
