"""A row of a spool: a record, and a checksum that tells whether it is still what was written."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.events import Record

COLUMNS = "id, stream, topic, key, timestamp_ms, schema_uri, spooled_ms, value, crc"
OVERHEAD = 128
"""Bytes that a row costs besides its key and value, roughly."""
SIZE = f"(length(value) + ifnull(length(key), 0) + {OVERHEAD})"
"""The size of a row in SQL; the same figure as `Row.size`."""
REFUSE = "INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
"""Keeps what is never sent; its values are those of `refused_columns`."""


class UnkeepableRecord(ValueError):
    """A record has a text or a number that SQLite cannot hold."""


class CorruptRow(ValueError):
    """A row is not what was written."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record that waits; `id` grows with every record that this file was ever given."""

    id: int
    record: Record
    spooled_ms: int

    @property
    def size(self) -> int:
        return size_of(self.record)


def size_of(record: Record) -> int:
    """Return what a record costs in a spool, in bytes."""
    return OVERHEAD + len(record.value) + (len(record.key) if record.key else 0)


def columns_of(row_id: int, record: Record, spooled_ms: int) -> tuple[Any, ...]:
    """Return the values of COLUMNS; raises UnkeepableRecord."""
    try:
        texts = (record.stream.encode(), record.topic.encode(), record.schema_uri.encode())
        crc = _crc((row_id, record.timestamp_ms, spooled_ms), (*texts, record.key, record.value))
    except (UnicodeEncodeError, OverflowError) as error:
        raise UnkeepableRecord(str(error)) from error
    return (
        row_id,
        record.stream,
        record.topic,
        record.key,
        record.timestamp_ms,
        record.schema_uri,
        spooled_ms,
        record.value,
        crc,
    )


def row_of(columns: Sequence[Any]) -> Row:
    """Return the row of the values of COLUMNS, texts being bytes; raises CorruptRow."""
    row_id, stream, topic, key, timestamp_ms, schema_uri, spooled_ms, value, crc = columns
    try:
        found = _crc((row_id, timestamp_ms, spooled_ms), (stream, topic, schema_uri, key, value))
        if found != crc:
            raise CorruptRow(f"Row {row_id} has another checksum than when it was written.")
        record = Record(
            stream.decode(), topic.decode(), value, key, timestamp_ms, schema_uri.decode()
        )
    except (TypeError, AttributeError, OverflowError, UnicodeDecodeError) as error:
        raise CorruptRow(f"Row {row_id} holds values of other types than were written.") from error
    return Row(row_id, record, spooled_ms)


def refused_columns(
    columns: Sequence[Any], now_ms: int, reason: str | bytes, sentence: str | bytes
) -> tuple[Any, ...]:
    """Return the values of REFUSE for the values of COLUMNS, whatever these have become."""
    row_id, stream, topic, key, timestamp_ms, schema_uri, *rest = columns
    return (
        row_id,
        _readable(stream),
        _readable(topic),
        key,
        timestamp_ms,
        _readable(schema_uri),
        *rest,
        now_ms,
        _readable(reason),
        _readable(sentence),
    )


def _readable(value: Any) -> Any:
    try:
        return value.decode()
    except (AttributeError, UnicodeDecodeError):
        return value


def _crc(numbers: Sequence[int], fields: Sequence[bytes | None]) -> int:
    """Return the checksum of all fields, each with its length, so that none can lend to another."""
    head = b"".join(number.to_bytes(8, "big", signed=True) for number in numbers)
    crc = zlib.crc32(head)
    for field in fields:
        length = -1 if field is None else len(field)
        crc = zlib.crc32(length.to_bytes(8, "big", signed=True), crc)
        crc = zlib.crc32(field or b"", crc)
    return crc
