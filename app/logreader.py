"""Reading the embedded log, while services may be writing it."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from app.logfile import open_for_reading

_PAGE_EVENTS = 512
_PAGE_BYTES = 4 * 1024 * 1024

_READ_ALL = """
    SELECT offset, topic, stream, key, timestamp_ms, stored_ms, schema_uri, value
    FROM events WHERE offset > :after ORDER BY offset LIMIT :limit
"""
# The inner query reads the index only.
_READ_STREAMS = """
    SELECT offset, topic, stream, key, timestamp_ms, stored_ms, schema_uri, value
    FROM events WHERE offset IN (
        SELECT offset FROM events INDEXED BY events_streams
        WHERE offset > :after AND stream IN (SELECT value FROM json_each(:streams))
        ORDER BY offset LIMIT :limit
    ) ORDER BY offset
"""
_BEFORE_LAST_OF_ALL = """
    SELECT min(offset) - 1 FROM (SELECT offset FROM events ORDER BY offset DESC LIMIT :limit)
"""
_BEFORE_LAST_OF_STREAMS = """
    SELECT min(offset) - 1 FROM (
        SELECT offset FROM events INDEXED BY events_streams
        WHERE offset > 0 AND stream IN (SELECT value FROM json_each(:streams))
        ORDER BY offset DESC LIMIT :limit
    )
"""
_COUNTS = """
    SELECT count.stream, count.events, count.last, events.stored_ms FROM (
        SELECT stream, count(*) AS events, max(offset) AS last
        FROM events INDEXED BY events_streams WHERE offset > 0 GROUP BY stream
    ) AS count JOIN events ON events.offset = count.last ORDER BY count.stream
"""


class StoredEvent(NamedTuple):
    """One event as the log keeps it; `value` is its JSON, `key` its message key's."""

    offset: int
    topic: str
    stream: str
    key: bytes | None
    timestamp_ms: int
    stored_ms: int
    schema_uri: str
    value: bytes


@dataclass(frozen=True, slots=True)
class StreamCount:
    """How many events of a stream there are, and where and when the last was stored."""

    stream: str
    events: int
    last_offset: int
    last_stored_ms: int


class LogReader:
    """The log in one file, for reading. Every call opens the file anew.

    All raise ConfigError if there is no log that can be read. `stream` is one name or several; None
    means all of them.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = self.path.absolute()

    def read(
        self, after: int = 0, stream: str | Sequence[str] | None = None, limit: int | None = None
    ) -> Iterator[StoredEvent]:
        """Yield events with offsets above `after`, in order.

        Holds no transaction while the caller looks at an event: a slow reader is no burden to the
        service.
        """
        with closing(open_for_reading(self._file)) as db:
            while limit is None or limit > 0:
                page = _page(db, after, stream, _PAGE_EVENTS if limit is None else limit)
                if not page:
                    return
                yield from page
                after = page[-1].offset
                if limit is not None:
                    limit -= len(page)

    def before_last(self, count: int, stream: str | Sequence[str] | None = None) -> int:
        """Return the offset after which the last `count` events lie, 0 if there are none."""
        query = _BEFORE_LAST_OF_ALL if stream is None else _BEFORE_LAST_OF_STREAMS
        with closing(open_for_reading(self._file)) as db:
            found = db.execute(query, {"streams": _names(stream), "limit": count}).fetchone()[0]
        return int(found or 0)

    def counts(self) -> list[StreamCount]:
        """Count the events of each stream, in the order of their names."""
        with closing(open_for_reading(self._file)) as db:
            return [StreamCount(*row) for row in db.execute(_COUNTS)]


def _page(
    db: sqlite3.Connection, after: int, stream: str | Sequence[str] | None, limit: int
) -> list[StoredEvent]:
    query = _READ_ALL if stream is None else _READ_STREAMS
    wanted = {"after": after, "streams": _names(stream), "limit": min(limit, _PAGE_EVENTS)}
    page = []
    size = 0
    with closing(db.execute(query, wanted)) as rows:
        for row in rows:
            event = StoredEvent(*row)
            page.append(event)
            size += len(event.value)
            if size > _PAGE_BYTES:
                break
    return page


def _names(stream: str | Sequence[str] | None) -> str:
    return json.dumps([stream] if isinstance(stream, str) else list(stream or ()))
