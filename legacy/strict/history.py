"""How earlier releases read log lines: the client's fields as they came, other identifiers."""

import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime
from typing import Any

from legacy.formats import CAPSULE
from legacy.strict.casts import cast
from legacy.strict.errors import NotProcessed
from legacy.strict.lines import LAST_LETTERS, LETTERS_2014, LETTERS_2016, StrictFormat
from legacy.strict.parser import StrictParser
from legacy.strict.uuids import capsule_uuid_until_2017
from legacy.useragent import parse_ua

PARSED_AGENTS = "2017-03"
"""The first month in which user agents were taken apart: into an object, written as JSON."""

LAST_FORM = "2017-11"
"""The first month in which lines were read as the last release did, or nearly."""

_ADDRESSES_GONE = "2016-03"
_CLIENT_IP = "clientIp"


class HistoricParser:
    """Reads log lines of one format as the release of a month (`2015-02`) did.

    Addresses were hashed with a key that nobody wrote down; here each parser has its own.
    """

    def __init__(self, line_format: str, release: str) -> None:
        self._format = StrictFormat.parse(line_format, _letters_of(release))
        self._release = release
        self._key = secrets.token_bytes(64)

    def parse(self, line: str) -> dict[str, Any]:
        """Return the capsule of a line, with its `uuid`; what goes wrong may raise anything."""
        now = datetime.now(UTC)
        if self._release >= LAST_FORM:
            return StrictParser(self._format).parse(line, now=now)
        columns = self._format.match(line)
        if columns is None:
            raise NotProcessed(self._format.pattern.pattern)
        event = {
            name: cast(kind, columns[name], now=now) for name, kind in self._format.columns.items()
        }
        if _CLIENT_IP in event:
            digest = hmac.new(self._key, event[_CLIENT_IP].encode(), hashlib.sha1)
            event[_CLIENT_IP] = digest.hexdigest()
        # Nobody looked whether this is an object: an empty array adds nothing, pairs are read.
        event.update(event.pop(CAPSULE))
        event["uuid"] = capsule_uuid_until_2017(event)
        if self._release >= PARSED_AGENTS and event.get("userAgent"):
            event["userAgent"] = json.dumps(parse_ua(event["userAgent"]))
        return event


def _letters_of(release: str) -> str:
    if release >= LAST_FORM:
        return LAST_LETTERS
    return LETTERS_2016 if release >= _ADDRESSES_GONE else LETTERS_2014
