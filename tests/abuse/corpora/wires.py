"""A service whose schema takes anything, and the two wires that lead to it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

SCHEMA_URI = "/corpus/any/1.0.0"
STREAM = "corpus.any"
CAPSULE_NAME = "CorpusAny"

MODERN = b'{"$schema":"/corpus/any/1.0.0","meta":{"stream":"corpus.any"},"value":%b}'
CAPSULE = b'{"schema":"CorpusAny","event":{},"value":%b}'

_TEXT = {"type": "string"}
_SCHEMA = {
    "title": "corpus/any",
    "$id": SCHEMA_URI,
    "$schema": "https://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "$schema": _TEXT,
        "meta": {
            "type": "object",
            "properties": dict.fromkeys(("stream", "dt", "id", "request_id", "domain"), _TEXT),
        },
        "http": {
            "type": "object",
            "properties": {
                "client_ip": _TEXT,
                "request_headers": {"type": "object", "additionalProperties": _TEXT},
            },
        },
    },
}
_STREAMS = {
    STREAM: {
        "schema_title": "corpus/any",
        "enrich_fields_from_http_headers": {
            "http.request_headers.user-agent": "user-agent",
            "http.request_headers.referer": "referer",
        },
    }
}
_MAPPING = {"schemas": {CAPSULE_NAME: {"schema_uri": SCHEMA_URI, "stream": STREAM}}}


def settings(folder: Path) -> dict[str, Any]:
    """Write a repository, streams and a mapping into a folder; return the settings to use them."""
    repository = folder / "schemas"
    place = repository / "corpus" / "any"
    place.mkdir(parents=True)
    for path, value in (
        (place / "1.0.0.yaml", _SCHEMA),
        (folder / "streams.yaml", _STREAMS),
        (folder / "mapping.yaml", _MAPPING),
    ):
        path.write_text(json.dumps(value))
    return {
        "schemas": {"base_uris": [str(repository)]},
        "streams": {"uri": str(folder / "streams.yaml")},
        "legacy": {"mapping": str(folder / "mapping.yaml")},
    }


def query_of(text: bytes) -> str:
    """Return a text as the query of a beacon."""
    return quote_from_bytes(text, safe="")
