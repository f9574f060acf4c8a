"""Recorded traffic, made up, and what both judges need to judge it."""

import json
from pathlib import Path
from urllib.parse import quote

OLD_EVENT = {
    "description": "Somebody clicked.",
    "properties": {
        "button": {"type": "string", "required": True, "enum": ["save", "cancel"]},
        "count": {"type": "integer"},
        "where": {"type": "object", "properties": {"x": {"type": "number"}}},
    },
}
SAFE = 2**53 - 1
NEW = {
    "title": "demo/click",
    "$id": "/demo/click/1.0.0",
    "$schema": "https://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["$schema", "meta", "event"],
    "properties": {
        "$schema": {"type": "string"},
        "meta": {
            "type": "object",
            "properties": {
                "stream": {"type": "string"},
                "id": {"type": "string"},
                "dt": {"type": "string"},
                "domain": {"type": "string"},
            },
        },
        "dt": {"type": "string"},
        "schema": {"type": "string"},
        "revision": {"type": "integer", "minimum": -SAFE, "maximum": SAFE},
        "wiki": {"type": "string"},
        "webHost": {"type": "string"},
        "http": {
            "type": "object",
            "properties": {
                "request_headers": {"type": "object", "additionalProperties": {"type": "string"}}
            },
        },
        "event": {
            "type": "object",
            "required": ["button"],
            "properties": {
                "button": {"type": "string", "enum": ["save", "cancel"]},
                "count": {"type": "integer", "minimum": -SAFE, "maximum": SAFE},
                "where": {
                    "type": "object",
                    "properties": {"x": {"type": "number", "minimum": -SAFE, "maximum": SAFE}},
                },
            },
        },
    },
}
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"


def write_house(folder: Path, new: dict = NEW) -> tuple[Path, Path]:
    """Write both sides; return the settings and the folder of old schemas."""
    old = folder / "old"
    old.mkdir()
    (old / "Click-7.json").write_text(json.dumps(OLD_EVENT))
    schema = folder / "schemas" / "demo" / "click" / "1.0.0.yaml"
    schema.parent.mkdir(parents=True)
    schema.write_text(json.dumps(new))
    (folder / "streams.yaml").write_text('{"eventlogging_Click": {"schema_title": "demo/click"}}')
    (folder / "mapping.yaml").write_text(
        json.dumps(
            {
                "schemas": {
                    "Click": {"schema_uri": "/demo/click/1.0.0", "stream": "eventlogging_Click"}
                }
            }
        )
    )
    settings = folder / "settings.yaml"
    settings.write_text(
        json.dumps(
            {
                "schemas": {"base_uris": [str(folder / "schemas")]},
                "streams": {"uri": str(folder / "streams.yaml")},
                "legacy": {"mapping": str(folder / "mapping.yaml")},
            }
        )
    )
    return settings, old


def capsule(event: object, **more: object) -> dict:
    """A capsule around an event."""
    around = {"schema": "Click", "revision": 7, "wiki": "enwiki", "webHost": "en.example.org"}
    return {**around, "event": event, **more}


def query(event: object, **more: object) -> str:
    """A capsule as a beacon's query."""
    return f"?{quote(json.dumps(capsule(event, **more)))};"


def line(event: object, number: int = 1, **more: object) -> str:
    """A capsule in a log line."""
    return f'{query(event, **more)}\tcp1\t{number}\t2019-11-05T10:20:30\t198.51.100.7\t"{AGENT}"'
