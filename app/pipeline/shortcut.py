"""The short way of further events of a request, on the same stream and of the same schema.

What was found about these two, and about the sender, for the first of them holds for the others.
"""

from app.core.events import NOTHING, Event, Record
from app.core.json import dumps
from app.pipeline.enrich import Share


class Shortcut:
    """Makes records of events that are plainly good; says nothing about any other.

    It comes to what the gate would come to, which knows how to say what is wrong with an event.
    `share` must be plain. `event` is one that the gate admitted.
    """

    __slots__ = ("_is_valid", "_max_size", "_named", "_received_ms", "_share", "_topic", "_uri")

    def __init__(self, share: Share, event: Event, max_size: int) -> None:
        self._share = share
        self._named = event.stream
        self._uri = event.schema_uri
        self._topic = share.stream.topic
        self._received_ms = share.context.received_ms
        self._is_valid = share.schema.is_valid
        self._max_size = max_size

    def record_of(self, event: Event) -> Record | None:
        """Return the record of an event, None if it has to go the long way."""
        given = event.body
        meta = given.get("meta")
        if (
            event.offers
            or given.get("$schema") != self._uri
            or type(meta) is not dict
            or meta.get("stream") != self._named
        ):
            return None
        share = self._share
        body = share.completed(given, NOTHING)
        try:
            if not self._is_valid(body):
                return None
            value = dumps(body)
        except ValueError:  # a JsonError, or what the validator cannot read
            return None
        if len(value) > self._max_size:
            return None
        # A plain event's meta.dt is the time of its receipt.
        return Record(
            share.stream.name, self._topic, value, None, self._received_ms, share.schema.uri
        )
