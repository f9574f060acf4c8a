"""Enrichment: what the server knows is set in the event, where its schema has the field.

What may be set depends only on the schema and the stream, so it is worked out once for each pair.
Nothing that came in is edited: objects that get a field are copied first. This runs before
validation and so trusts no type that it finds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.events import Context, Event
from app.core.ids import UuidPool
from app.core.time import iso_of_ms
from app.schemas.validator import Schema
from app.streams.configs import Stream

MAX_HEADER_VALUE = 400
MAX_PLANS = 20_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What the server sets in events of one schema on one stream."""

    schema: Schema
    stream: Stream
    meta_stream: bool
    meta_dt: bool
    meta_id: bool
    dt: bool
    client_ip: bool
    headers: tuple[tuple[str, str], ...]
    withheld: frozenset[str]

    def takes(self, path: str) -> bool:
        """Say whether a decoder's offer for `path` may be set."""
        return path not in self.withheld and self.schema.field(path) is not None


class Enrichment:
    """Sets fields of the server's; remembers the plan of each (schema, stream)."""

    def __init__(self, *, keep_client_dt: bool = False) -> None:
        self._keep_client_dt = keep_client_dt
        self._plans: dict[tuple[int, int], Plan] = {}
        self._ids = UuidPool()

    def __call__(
        self, event: Event, schema: Schema, stream: Stream, context: Context
    ) -> dict[str, Any]:
        """Return the event's body, completed; `event.body` stays as it was."""
        plan = self._plans.get((id(schema), id(stream))) or self._planned(schema, stream)
        body = dict(event.body)
        # A stored event names the exact version that judged it, never `latest` or a file.
        body["$schema"] = schema.uri
        received = iso_of_ms(context.received_ms)
        meta = body["meta"] = dict(body.get("meta") or ())  # Event.stream has seen that it is one
        if plan.meta_stream:
            meta.setdefault("stream", stream.name)
        if plan.meta_dt and not (self._keep_client_dt and "dt" in meta):
            meta["dt"] = received
        if plan.meta_id and "id" not in meta:
            meta["id"] = self._ids.next()
        for path, value in event.offers.items():
            if plan.takes(path):
                _set_absent(body, path, value)
        if plan.dt and "dt" not in body:
            body["dt"] = received
        if plan.client_ip and context.client_ip is not None:
            _set_absent(body, "http.client_ip", context.client_ip)
        for path, header in plan.headers:
            header_value = context.header(header)
            if header_value is not None:
                _set_absent(body, path, header_value[:MAX_HEADER_VALUE])
        return schema.with_defaults(body)

    def _planned(self, schema: Schema, stream: Stream) -> Plan:
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        plan = plan_of(schema, stream)
        # The plan holds both, so neither id can come to mean another object.
        self._plans[id(schema), id(stream)] = plan
        return plan


def plan_of(schema: Schema, stream: Stream) -> Plan:
    """Work out what the server sets in events of `schema` on `stream`."""

    def has(path: str) -> bool:
        return schema.field(path) is not None

    def declares(path: str) -> bool:
        return schema.field(path) == "declared"

    fields: Mapping[str, str | None] = stream.header_fields
    return Plan(
        schema=schema,
        stream=stream,
        meta_stream=has("meta.stream"),
        meta_dt=declares("meta.dt"),
        meta_id=declares("meta.id"),
        # Old events have no time of their own that can be trusted (EventGate does the same).
        dt=(schema.title or "").startswith("analytics/legacy") and declares("dt"),
        client_ip=declares("http.client_ip"),
        headers=tuple(
            (path, header) for path, header in fields.items() if header is not None and has(path)
        ),
        withheld=frozenset(path for path, header in fields.items() if header is None),
    )


def _set_absent(body: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted path unless it is there; copies the objects on the way, which may be shared."""
    *parents, last = path.split(".")
    holder = body
    for parent in parents:
        inner = holder.get(parent, {})
        if not isinstance(inner, dict):
            return  # the schema will say so
        inner = holder[parent] = dict(inner)
        holder = inner
    holder.setdefault(last, value)
