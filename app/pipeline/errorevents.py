"""Error events: what is told, as an ordinary event, about one that was refused."""

from collections.abc import Mapping
from typing import Any

from app.core.events import NOTHING, Context, Event, Outcome, RawEvent
from app.core.json import text_of
from app.core.time import iso_of_ms

UNKNOWN = "unknown"
MAX_TEXT = 2_000
MAX_VIOLATIONS = 50


class ErrorEvents:
    """Makes events for the error stream `stream`, of the schema `schema_uri`.

    Required fields are those of the long-lived error schemas; what newer ones add is offered, and
    set where the schema has it.
    """

    def __init__(
        self, *, stream: str, schema_uri: str, emitter_id: str, max_raw_event: int
    ) -> None:
        self.stream = stream
        self._schema_uri = schema_uri
        self._emitter_id = emitter_id
        self._max_raw_event = max_raw_event

    def of(self, outcome: Outcome, context: Context) -> Event:
        """Return the error event about a refused one.

        `raw_event` is the event as it was decoded, without what the server would have added (no
        client address). Where it could not be decoded, it is what arrived, or as much of it as the
        decoder lets be told.
        """
        error = outcome.error
        assert error is not None
        about: Mapping[str, Any] = outcome.event.body if outcome.event else NOTHING
        meta = about.get("meta")
        about_meta: Mapping[str, Any] = meta if isinstance(meta, dict) else NOTHING
        raw = outcome.raw
        undecoded = raw.payload if error.told is None else error.told
        body = {
            "$schema": self._schema_uri,
            "meta": {"stream": self.stream},
            "dt": iso_of_ms(context.received_ms),
            "emitter_id": self._emitter_id,
            "message": str(error)[:MAX_TEXT],
        }
        offers: dict[str, Any] = {
            "reason": error.reason,
            "error_type": type(error).__name__,
            "source": context.source,
            "raw_event": text_of(
                outcome.event.body if outcome.event else undecoded, self._max_raw_event
            ),
            "errored_schema_uri": _text(about.get("$schema") or raw.schema_uri) or UNKNOWN,
            "errored_stream_name": _text(about_meta.get("stream") or raw.stream) or UNKNOWN,
            "meta.domain": _text(about_meta.get("domain")),
            "meta.uri": _text(about_meta.get("uri")),
            "violations": [
                {
                    "pointer": v.pointer,
                    "keyword": v.keyword,
                    "message": v.message,
                    "expected": v.expected,
                    "got": v.got,
                    "hint": v.hint,
                }
                for v in error.violations[:MAX_VIOLATIONS]
            ],
        }
        offered = {path: value for path, value in offers.items() if value}
        return Event(RawEvent(None), body, offered)


def _text(value: Any) -> str | None:
    # Whatever a stranger put there: only a string is repeated, and not all of it.
    return text_of(value, MAX_TEXT) if isinstance(value, str) and value else None
