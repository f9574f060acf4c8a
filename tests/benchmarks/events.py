"""Events of about 1 KB as modern clients send them, made up, and the house that takes them."""

import json
import random
from pathlib import Path
from typing import Any

import yaml

DEMO = Path(__file__).parents[2] / "app/demo"
STREAM = "bench.page.visit"
TITLE = "bench/page/visit"
URI = "/bench/page/visit/1.0.0"
WORDS = (
    "river",
    "gate",
    "weir",
    "lock",
    "canal",
    "barge",
    "towpath",
    "mill",
    "race",
    "sluice",
    "basin",
    "culvert",
    "dam",
    "ford",
    "spring",
    "delta",
    "marsh",
    "levee",
    "pump",
    "stream",
)


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def schema(title: str = TITLE) -> dict[str, Any]:
    """Return the schema of all events here: nested objects, enums, formats, arrays, numbers."""
    safe = {"minimum": -(2**53) + 1, "maximum": 2**53 - 1}
    page = {
        "type": "object",
        "required": ["id", "title"],
        "properties": {
            "id": {"type": "integer", **safe},
            "title": _text("Title of the page.", maxLength=400),
            "namespace": {"type": "integer", **safe},
            "revision": {"type": "integer", **safe},
            "content_language": _text("Language of the page.", pattern="^[a-z]{2,3}$", maxLength=3),
            "is_redirect": {"type": "boolean"},
            "categories": {"type": "array", "items": {"type": "string"}, "maxItems": 100},
        },
    }
    performer = {
        "type": "object",
        "properties": {
            "session_id": _text("Random, for the session.", minLength=8),
            "pageview_id": _text("Random, for the page view."),
            "is_logged_in": {"type": "boolean"},
            "edit_count_bucket": {"enum": ["0", "1-4", "5-99", "100-999", "1000+"]},
            "groups": {"type": "array", "items": {"type": "string"}},
        },
    }
    meta = {
        "type": "object",
        "required": ["stream"],
        "properties": {
            "stream": _text("The stream.", minLength=1),
            "dt": _text("Time of receipt.", format="date-time", maxLength=128),
            "id": _text("Identifies the event."),
            "domain": _text("The site.", minLength=1),
            "request_id": _text("Identifies the request."),
            "uri": _text("The page.", format="uri-reference", maxLength=8192),
        },
    }
    headers = {"type": "object", "additionalProperties": {"type": "string"}}
    http = {
        "type": "object",
        "properties": {
            "method": _text("The verb."),
            "client_ip": _text("Who asked."),
            "request_headers": headers,
        },
    }
    return {
        "title": title,
        "description": "A page was looked at.",
        "$id": f"/{title}/1.0.0",
        "$schema": "https://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "required": ["$schema", "meta", "dt", "page", "action"],
        "properties": {
            "$schema": _text("This schema."),
            "meta": meta,
            "dt": _text("When it happened.", format="date-time", maxLength=128),
            "http": http,
            "action": {"enum": ["visit", "leave", "scroll", "click"]},
            "page": page,
            "performer": performer,
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
            "timings": {"type": "array", "items": {"type": "number", **safe}, "maxItems": 100},
            "comment": _text("What was said.", maxLength=1_000_000),
        },
    }


def event(
    rng: random.Random, *, bad: bool = False, stream: str = STREAM, title: str = TITLE
) -> dict[str, Any]:
    """Return an event of about 1 KB; a bad one is against its schema in one place."""
    words = " ".join(rng.choices(WORDS, k=40))
    second = f"{rng.randrange(10, 59)}.{rng.randrange(999):03}"
    return {
        "$schema": f"/{title}/1.0.0",
        "meta": {
            "stream": stream,
            "domain": "www.example.org",
            "uri": f"https://www.example.org/{rng.choice(WORDS)}?page={rng.randrange(10**6)}",
        },
        "dt": f"2026-03-0{rng.randrange(1, 9)}T10:11:{second}Z",
        "action": "stare" if bad else rng.choice(("visit", "leave", "scroll", "click")),
        "page": {
            "id": rng.randrange(10**8),
            "title": words[:60],
            "namespace": rng.randrange(16),
            "revision": rng.randrange(10**9),
            "content_language": rng.choice(("en", "de", "fr", "nds")),
            "is_redirect": rng.random() < 0.1,
            "categories": rng.sample(WORDS, 5),
        },
        "performer": {
            "session_id": f"{rng.getrandbits(80):020x}",
            "pageview_id": f"{rng.getrandbits(80):020x}",
            "is_logged_in": rng.random() < 0.2,
            "edit_count_bucket": rng.choice(("0", "1-4", "5-99", "100-999", "1000+")),
            "groups": ["user", "*"],
        },
        "tags": {"skin": "vector", "experiment": rng.choice(("control", "treatment"))},
        "timings": [round(rng.random() * 1_000, 3) for _ in range(8)],
        "comment": words,
    }


def body(count: int, *, bad_in: int = 0, seed: int = 1) -> bytes:
    """Return what a client POSTs: one event, or an array of them; one bad in so many, if any."""
    rng = random.Random(seed)
    events = [
        event(rng, bad=bool(bad_in) and number % bad_in == bad_in - 1) for number in range(count)
    ]
    return json.dumps(events[0] if count == 1 else events, separators=(",", ":")).encode()


def write_house(folder: Path, sink: dict[str, Any] | None = None, *, copies: int = 0) -> Path:
    """Write schemas, streams and settings; return the settings' path.

    The old events of the demo are taken, too. With `copies`, so many further streams with a schema
    each: bench.copy.0 and so on.
    """
    demo = {"eventlogging_DemoButtonClick": "demo/legacy/buttonclick"}
    titles = {STREAM: TITLE} | {f"bench.copy.{n}": f"bench/copy{n}" for n in range(copies)}
    for title in titles.values():
        path = folder / "schemas" / title / "1.0.0.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema(title)))  # JSON is YAML, and quick to write
    streams = folder / "streams.yaml"
    headers = {"http.request_headers.user-agent": "user-agent"}
    streams.write_text(
        json.dumps(
            {
                name: {"schema_title": title, "enrich_fields_from_http_headers": headers}
                for name, title in (titles | demo).items()
            }
        )
    )
    settings = folder / "settings.yaml"
    made: dict[str, Any] = {
        "schemas": {"base_uris": [str(folder / "schemas"), str(DEMO / "schemas")]},
        "legacy": {"mapping": str(DEMO / "legacy-mapping.yaml")},
        "streams": {"uri": str(streams)},
        "sink": sink or {"type": "memory"},
    }
    settings.write_text(yaml.safe_dump(made))
    return settings
