"""From a valid event to the record that a sink writes."""

from typing import Any

import orjson

from app.core.errors import EventTooLarge, MalformedEvent, MissingField
from app.core.events import Context, Record
from app.core.json import JsonError, dumps
from app.core.time import iso_of_ms, ms_of_iso
from app.schemas.validator import Schema
from app.streams.configs import Stream


def record_of(
    body: dict[str, Any], schema: Schema, stream: Stream, context: Context, max_size: int
) -> Record:
    """Return the record; raises EventTooLarge, MalformedEvent, or MissingField for its key.

    The timestamp is `meta.dt`, the time of receipt where there is none.
    """
    try:
        value = dumps(body)
    except JsonError as error:
        raise MalformedEvent(str(error), pointer=error.pointer) from error
    if len(value) > max_size:
        raise EventTooLarge(
            f"The event has {len(value):,} bytes; at most {max_size:,} are taken.",
            expected=f"at most {max_size:,} bytes",
            got=f"{len(value):,} bytes",
            hint="Split it, or leave large fields out. The limit is the setting "
            "http.max_event_size.",
        )
    key = _key_of(body, stream) if stream.message_key_fields else None
    return Record(stream.name, stream.topic, value, key, _time_of(body, context), schema.uri)


def _time_of(body: dict[str, Any], context: Context) -> int:
    stamp = body["meta"].get("dt")
    received = context.received_ms
    if stamp is None or stamp == iso_of_ms(received):  # which is what it nearly always is
        return received
    timestamp = ms_of_iso(stamp)
    return received if timestamp is None else timestamp


def _key_of(body: dict[str, Any], stream: Stream) -> bytes:
    key: dict[str, Any] = {}
    for name, path in stream.message_key_fields:
        value: Any = body
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            raise MissingField(
                f"Stream {stream.name} makes its message key of {'.'.join(path)}, which the event "
                "lacks.",
                pointer="/" + "/".join(path),
                expected="a value",
                got="nothing",
                hint="Set that field, or change message_key_fields of the stream.",
            )
        holder = key
        *parents, last = name.split(".")
        for parent in parents:
            holder = holder.setdefault(parent, {})
        holder[last] = value
    return orjson.dumps(key)
