"""Old events as JSON: capsules and EventBus events put into the modern shape, or a LegacyError."""

import re
from typing import Any

from app.core.json import JsonError, dumps, loads
from legacy.adapter import LegacyAdapter
from legacy.capsule import NEVER_STORED, is_capsule, without_secrets
from legacy.errors import LegacyError
from legacy.eventbus import is_eventbus
from legacy.mapping import Mapping
from tests.fuzz.target import Target
from tests.fuzz.targets import json

RECEIVED = "2024-02-03T04:05:06.789Z"
REASONS = frozenset(("malformed", "missing_field", "unmapped_schema"))
TARGETS = {"schema_uri": "/a/b/1.0.0", "stream": "a.b"}
ADAPTER = LegacyAdapter(Mapping.parse({"schemas": {"A": TARGETS, "a/b": TARGETS}}), host="host")
_SECRET = re.compile(rb'"(?:ip|clientIp|uuid|recvFrom)"\s*:\s*"[^"\\]')


def one(data: bytes) -> None:
    """Read bytes as JSON, and that as old events of each kind."""
    assert not _SECRET.search(without_secrets(data)), "a secret may be told"
    try:
        value = loads(data)
    except JsonError:
        return
    _check(lambda: ADAPTER.capsule(value, received_dt=RECEIVED), value)
    if isinstance(value, dict) and is_eventbus(value):
        _check(lambda: ADAPTER.eventbus(value, latest_of=lambda _stream: "/a/b/latest"), value)
        assert not is_capsule(value)


def _check(decode: Any, value: Any) -> None:
    before = repr(value)
    try:
        body, offers = decode()
    except LegacyError as error:
        assert error.reason in REASONS
        assert str(error)
        if isinstance(error.told, dict):
            assert not NEVER_STORED & error.told.keys(), "a secret is told"
        return
    finally:
        assert repr(value) == before, "what came in was edited"
    assert isinstance(body["meta"], dict)
    assert isinstance(body["meta"].get("stream"), str)
    assert isinstance(offers, dict)
    dumps(body)


def seeds() -> list[bytes]:
    """Return old events, good and odd."""
    return [
        b'{"schema":"A","revision":1,"wiki":"w","event":{"a":1},"webHost":"h","userAgent":"u"}',
        b'{"schema":"A","event":[],"clientIp":"192.0.2.1","uuid":"u","recvFrom":"r","ip":"i"}',
        b'{"schema":"A","event":null,"client_dt":"2024-02-03T04:05:06","timestamp":1,"dt":1e9}',
        b'{"schema":"A","event":{},"timestamp":"20240203040506","client_dt":1706933106}',
        b'{"schema":"B","event":{}}',
        b'{"schema":7,"event":{}}',
        b'{"meta":{"schema_uri":"a/b/1","topic":"t","dt":"2024-02-03T04:05:06Z"},"c":1}',
        b'{"meta":{"topic":"t"}}',
        b'{"meta":{"schema_uri":"","topic":1}}',
        b'{"clientIp" : "a\\"b", "http":{"client_ip":"x',
        *(text for text in json.seeds() if len(text) < 100),
    ]


TARGET = Target("capsules", one, seeds)
