"""The floor: what cannot be left out in Python, on our own connections, and nothing else.

Each event is parsed, validated and serialised; nothing is looked for, set, limited, counted or
told. What Sluiceway costs beyond this is its own work; what this costs is not.
"""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import orjson

from app.protocol import Exchange, HotRoute
from tests.benchmarks.events import schema

EMPTY = b"content-length: 0\r\n\r\n"


class Floor:
    """An application that answers the hot path; `rest` is the one for all else."""

    hot: Mapping[bytes, HotRoute] = {b"/v1/events": HotRoute("/v1/events", {b"POST": "POST"}, None)}

    def __init__(self, rest: Any) -> None:
        self._rest = rest
        self._is_valid = jsonschema_rs.Draft7Validator(schema(), validate_formats=True).is_valid

    async def answer_whole(self, exchange: Exchange, _route: HotRoute) -> None:
        """Parse, validate and serialise each event, and answer."""
        given = orjson.loads(exchange.taken())
        status = 201
        for event in given if isinstance(given, list) else [given]:
            if self._is_valid(event):
                orjson.dumps(event)
            else:
                status = 207
        exchange.write(status, EMPTY)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on what is not hot."""
        await self._rest(scope, receive, send)
