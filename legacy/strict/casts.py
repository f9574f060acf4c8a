"""Casts: what became of a column's text, and of what a client sent in that column's place."""

import calendar
import json
import time
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from legacy.formats import Kind
from legacy.strict.moments import iso_of
from legacy.useragent import parse_ua

_NCSA = "%Y-%m-%dT%H:%M:%S"


def cast(kind: Kind, value: Any, *, now: datetime) -> Any:
    """Return what a value becomes in a column of this kind.

    What cannot be cast raises one of many exceptions, as in the old system; all meant the same.
    """
    match kind:
        case "query":
            return decode_query(value)
        case "json":
            return json.loads(value)
        case "word" | "text":
            return str(value)
        case "number":
            return int(value)
        case "iso":
            return iso_of(value, now=now)
        case "seconds":
            return calendar.timegm(time.strptime(value, _NCSA))
        case "agent":
            return parse_ua(value)


def decode_query(query: str) -> Any:
    """Return the JSON value that a query is; raises AttributeError if it is no text.

    Python's own JSON: NaN and infinities, integers of any size and lone surrogates are read.
    """
    text: str = query.strip("?;").replace("+", " ")
    return json.loads(unquote_to_bytes(text.encode()).decode())
