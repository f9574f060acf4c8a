"""Enrichment: what the server knows is set in the event, where its schema has the field.

What may be set depends only on the schema and the stream, so it is worked out once for each pair.
Nothing that came in is edited: objects that get a field are copied first. This runs before
validation and so trusts no type that it finds.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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
    is_plain: bool
    """Whether nothing is done to an event that would depend on what else it says."""

    def takes(self, path: str) -> bool:
        """Say whether a decoder's offer for `path` may be set."""
        return path not in self.withheld and self.schema.field(path) is not None


class Share:
    """What all events of one request on one stream, of one schema, are given."""

    __slots__ = (
        "_keeps_dt",
        "_known",
        "_known_meta",
        "_next_id",
        "context",
        "plan",
        "private",
        "received",
        "schema",
        "stream",
    )

    def __init__(
        self, plan: Plan, context: Context, keeps_dt: bool, next_id: Callable[[], str]
    ) -> None:
        self.plan = plan
        self.schema = plan.schema
        self.stream = plan.stream
        self.context = context
        self.private = plan.heeds_opt_out and _opted_out(context)
        self.received = iso_of_ms(context.received_ms)
        self._keeps_dt = keeps_dt
        self._next_id = next_id
        # What the request said, as the meta and the rest of an event without more; never edited.
        known: dict[str, Any] = {}
        if plan.client_ip and context.client_ip is not None and not self.private:
            _put(known, _ADDRESS, context.client_ip)
        for parts, header in plan.headers_if_private if self.private else plan.headers:
            value = context.header(header)
            if value is not None:
                _put(known, parts, value[:MAX_HEADER_VALUE])
        meta = known.pop("meta", None)
        self._known_meta: Mapping[str, Any] = meta if isinstance(meta, dict) else NOTHING
        self._known = known

    @property
    def is_plain(self) -> bool:
        """Whether `completed` is all that is done to an event without offers."""
        return self.plan.is_plain and not self.private and not self._keeps_dt

    def completed(self, given: Mapping[str, Any], offers: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of a body with what is set in it, whatever it is."""
        plan = self.plan
        body = dict(given)
        # A stored event names the exact version that judged it, never `latest` or a file.
        body["$schema"] = self.schema.uri
        meta = body["meta"] = dict(body.get("meta") or ())  # Event.stream has seen that it is one
        if plan.meta_stream and "stream" not in meta:
            meta["stream"] = self.stream.name
        if plan.meta_dt and not (self._keeps_dt and "dt" in meta):
            meta["dt"] = self.received
        if offers:
            _set_offers(body, offers, self)
            meta = body["meta"]
        if plan.meta_id and "id" not in meta:
            meta["id"] = self._next_id()
        if plan.dt and "dt" not in body:
            body["dt"] = self.received
        if self._known_meta:
            _fill(meta, self._known_meta)
        _fill(body, self._known)
        return body


class Enrichment:
    """Sets fields of the server's; remembers the plan of each (schema, stream)."""

    def __init__(
        self, *, keep_client_dt: bool = False, parse_user_agent: UserAgentParser | None = None
    ) -> None:
        self._keep_client_dt = keep_client_dt
        self._parse_user_agent = parse_user_agent
        self._plans: dict[tuple[int, int], Plan] = {}
        self.last: Share | None = None
        """The share of the event that was completed last."""
        self._ids = UuidPool()

    def __call__(
        self, event: Event, schema: Schema, stream: Stream, context: Context
    ) -> dict[str, Any]:
        """Return the event's body, completed; `event.body` stays as it was."""
        share = self.last
        # The events of a request are mostly of one schema and stream.
        if (
            share is None
            or share.context is not context
            or share.schema is not schema
            or share.stream is not stream
        ):
            plan = self._plans.get((id(schema), id(stream))) or self._planned(schema, stream)
            share = self.last = Share(plan, context, self._keep_client_dt, self._ids.next)
        plan = share.plan
        body = share.completed(event.body, event.offers)
        if plan.useragent and not share.private:
            self._set_useragent(body, event, context)
        if share.private or plan.address != "keep":
            _reduce_address(body, "drop" if share.private else plan.address)
        return schema.with_defaults(body)

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
    meta_dt = declares("meta.dt")
    useragent = stream.enrich_useragent and declares("useragent")
    return Plan(
        schema=schema,
        stream=stream,
        meta_stream=has("meta.stream"),
        meta_dt=meta_dt,
        meta_id=declares("meta.id"),
        # Old events have no time of their own that can be trusted (EventGate does the same).
        dt=(schema.title or "").startswith("analytics/legacy") and declares("dt"),
        client_ip=declares(ADDRESS) and ADDRESS not in withheld,
        headers=headers,
        headers_if_private=tuple(field for field in headers if field[0][0][:1] == ("meta",)),
        withheld=frozenset(withheld),
        useragent=useragent,
        address=privacy.client_ip,
        heeds_opt_out=privacy.opt_out == "withhold",
        is_plain=(
            schema.is_plain
            and meta_dt
            and not useragent
            and privacy.client_ip == "keep"
            and not stream.producers
            and not stream.message_key_fields
        ),
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


def _set_offers(body: dict[str, Any], offers: Mapping[str, Any], share: Share) -> None:
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
