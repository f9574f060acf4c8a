"""The search for schemas that are not in memory: one request has so much time for all of its."""

import time
from typing import Protocol

from app.schemas.validator import Schema


class Schemas(Protocol):
    """The schemas that can be had."""

    def at_hand(self, uri: str) -> Schema | None:
        """Return the compiled schema if it is in memory."""
        ...

    async def get(self, uri: str, *, wait: float | None = None) -> Schema:
        """Return the compiled schema; raises SchemaNotFound or SchemaUnavailable.

        SchemaUnavailable also if it has not come after `wait` seconds.
        """
        ...


class Search:
    """Looks for the schemas of one request, which together may take `seconds`.

    The events of a request are admitted one after the other, so each of them might wait as long as
    a slow repository lets it: ten thousand names that nobody has heard of would take a day.
    """

    __slots__ = ("_left", "_schemas")

    def __init__(self, schemas: Schemas, seconds: float) -> None:
        self._schemas = schemas
        self._left = seconds

    async def get(self, uri: str) -> Schema:
        """Return the compiled schema; raises SchemaNotFound or SchemaUnavailable."""
        started = time.perf_counter()
        try:
            return await self._schemas.get(uri, wait=self._left)
        finally:
            self._left -= time.perf_counter() - started
