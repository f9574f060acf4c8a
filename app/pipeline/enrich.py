"""Enrichment: what the server knows is set in the event, where its schema has the field.

What may be set depends only on the schema and the stream, so it is worked out once for each pair.
Nothing that came in is edited: objects that get a field are copied first. This runs before
validation and so trusts no type that it finds.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from app.core.events import NOTHING, Context, Event
from app.core.ids import UuidPool
from app.core.time import iso_of_ms
from app.schemas.validator import Schema
from app.streams.configs import Stream
from app.streams.privacy import AddressRule, truncated

MAX_HEADER_VALUE = 400
MAX_PLANS = 20_000

ADDRESS = "http.client_ip"
USER_AGENT = "http.request_headers.user-agent"
PERSONAL = "http."

Parts = tuple[tuple[str, ...], str]
"""A dotted path taken apart: the objects on the way, and the field."""

UserAgentParser = Callable[[str], Mapping[str, Any]]
"""What a user agent says, by the names of the schema's `useragent`; None says nothing.

Raises ValueError for one that it cannot take apart.
"""


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
    headers: tuple[tuple[Parts, str], ...]
    headers_if_private: tuple[tuple[Parts, str], ...]
    withheld: frozenset[str]
    useragent: bool
    address: AddressRule
    heeds_opt_out: bool

    def takes(self, path: str) -> bool:
        """Say whether a decoder's offer for `path` may be set."""
        return path not in self.withheld and self.schema.field(path) is not None


class _Share(NamedTuple):
    """What all events of one request on one stream, of one schema, are given."""

    context: Context
    schema: Schema
    stream: Stream
    plan: Plan
    private: bool
    received: str
    meta: Mapping[str, Any]
    others: Mapping[str, Any]
    """What the request said, as the meta and the rest of an event without more; never edited."""


class Enrichment:
    """Sets fields of the server's; remembers the plan of each (schema, stream)."""

    def __init__(
        self, *, keep_client_dt: bool = False, parse_user_agent: UserAgentParser | None = None
    ) -> None:
        self._keep_client_dt = keep_client_dt
        self._parse_user_agent = parse_user_agent
        self._plans: dict[tuple[int, int], Plan] = {}
        self._share: _Share | None = None
        self._ids = UuidPool()

    def __call__(
        self, event: Event, schema: Schema, stream: Stream, context: Context
    ) -> dict[str, Any]:
        """Return the event's body, completed; `event.body` stays as it was."""
        share = self._share
        # The events of a request are mostly of one schema and stream.
        if (
            share is None
            or share.context is not context
            or share.schema is not schema
            or share.stream is not stream
        ):
            share = self._share = self._shared(schema, stream, context)
        plan = share.plan
        body = dict(event.body)
        # A stored event names the exact version that judged it, never `latest` or a file.
        body["$schema"] = schema.uri
        meta = body["meta"] = dict(body.get("meta") or ())  # Event.stream has seen that it is one
        if plan.meta_stream and "stream" not in meta:
            meta["stream"] = stream.name
        if plan.meta_dt and not (self._keep_client_dt and "dt" in meta):
            meta["dt"] = share.received
        if event.offers:
            _set_offers(body, event.offers, share)
            meta = body["meta"]
        if plan.meta_id and "id" not in meta:
            meta["id"] = self._ids.next()
        if plan.dt and "dt" not in body:
            body["dt"] = share.received
        _fill(meta, share.meta)
        _fill(body, share.others)
        if plan.useragent and not share.private:
            self._set_useragent(body, event, context)
        if share.private or plan.address != "keep":
            _reduce_address(body, "drop" if share.private else plan.address)
        return schema.with_defaults(body)

    def _shared(self, schema: Schema, stream: Stream, context: Context) -> "_Share":
        plan = self._plans.get((id(schema), id(stream))) or self._planned(schema, stream)
        private = plan.heeds_opt_out and _opted_out(context)
        known: dict[str, Any] = {}
        if plan.client_ip and context.client_ip is not None and not private:
            _put(known, _ADDRESS, context.client_ip)
        for parts, header in plan.headers_if_private if private else plan.headers:
            value = context.header(header)
            if value is not None:
                _put(known, parts, value[:MAX_HEADER_VALUE])
        meta = known.pop("meta", None)
        received = iso_of_ms(context.received_ms)
        said = meta if isinstance(meta, dict) else NOTHING
        return _Share(context, schema, stream, plan, private, received, said, known)

    def _set_useragent(self, body: dict[str, Any], event: Event, context: Context) -> None:
        text = _at(body, USER_AGENT) or event.offers.get(USER_AGENT) or context.header("user-agent")
        if self._parse_user_agent is None or not isinstance(text, str) or "useragent" in body:
            return
        with suppress(ValueError):  # it says nothing that could be set
            said = self._parse_user_agent(text[:MAX_HEADER_VALUE])
            body["useragent"] = {name: value for name, value in said.items() if value is not None}

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

    privacy = stream.privacy
    fields: Mapping[str, str | None] = stream.header_fields
    withheld = {path for path, header in fields.items() if header is None}
    if privacy.client_ip == "drop":
        withheld.add(ADDRESS)
    headers = tuple(
        (_parts_of(path), header)
        for path, header in fields.items()
        if header is not None and path not in withheld and has(path)
    )
    return Plan(
        schema=schema,
        stream=stream,
        meta_stream=has("meta.stream"),
        meta_dt=declares("meta.dt"),
        meta_id=declares("meta.id"),
        # Old events have no time of their own that can be trusted (EventGate does the same).
        dt=(schema.title or "").startswith("analytics/legacy") and declares("dt"),
        client_ip=declares(ADDRESS) and ADDRESS not in withheld,
        headers=headers,
        headers_if_private=tuple(field for field in headers if field[0][0][:1] == ("meta",)),
        withheld=frozenset(withheld),
        useragent=stream.enrich_useragent and declares("useragent"),
        address=privacy.client_ip,
        heeds_opt_out=privacy.opt_out == "withhold",
    )


def _opted_out(context: Context) -> bool:
    # https://w3c.github.io/gpc/ and its forerunner: the only value that says so is 1.
    return any((context.header(name) or "").strip() == "1" for name in ("sec-gpc", "dnt"))


def _reduce_address(body: dict[str, Any], rule: AddressRule) -> None:
    """Truncate or remove an address, whoever put it there: a stream's rule holds for all of it."""
    http = body.get("http")
    if not isinstance(http, dict) or "client_ip" not in http:
        return
    address = http["client_ip"]
    http = body["http"] = dict(http)
    less = truncated(address) if rule == "truncate" and isinstance(address, str) else None
    if less is None:
        del http["client_ip"]
    else:
        http["client_ip"] = less


def _at(body: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted path, None if nothing does."""
    value: Any = body
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


@lru_cache(maxsize=1_024)
def _parts_of(path: str) -> Parts:
    *parents, last = path.split(".")
    return tuple(parents), last


_ADDRESS = _parts_of(ADDRESS)


def _put(known: dict[str, Any], parts: Parts, value: str) -> None:
    parents, last = parts
    for parent in parents:
        known = known.setdefault(parent, {})
        if not isinstance(known, dict):
            return  # one field's path leads through another field
    known.setdefault(last, value)


def _fill(body: dict[str, Any], known: Mapping[str, Any]) -> None:
    """Set what is known and absent; objects that get something are copied, they may be shared."""
    for name, value in known.items():
        if name not in body:
            body[name] = value
        elif isinstance(value, dict) and isinstance(body[name], dict):
            inner = body[name] = dict(body[name])
            _fill(inner, value)


def _set_offers(body: dict[str, Any], offers: Mapping[str, Any], share: _Share) -> None:
    for path, value in offers.items():
        if share.plan.takes(path) and not (share.private and path.startswith(PERSONAL)):
            _set_absent(body, _parts_of(path), value)


def _set_absent(body: dict[str, Any], parts: Parts, value: Any) -> None:
    """Set a field unless it is there; copies the objects on the way, which may be shared."""
    parents, last = parts
    holder = body
    for parent in parents:
        inner = holder.get(parent, NOTHING)
        if not isinstance(inner, dict):
            return  # the schema will say so
        inner = holder[parent] = dict(inner)
        holder = inner
    if last not in holder:
        holder[last] = value
