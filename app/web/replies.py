"""Answers: the only place that knows which status code an outcome has.

Every failure body is safe for MediaWiki's EventBus client, which maps over each value of a decoded
body: values are lists of objects, whose `event` is an object or null.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.core.errors import (
    EventError,
    IntakeFailure,
    Overloaded,
    RateLimited,
    UnknownDelivery,
    Violation,
)
from app.core.events import Outcome, RawEvent

JSON = (b"content-type", b"application/json")
RETRY_AFTER = (b"retry-after", b"5")
CLOSE = (b"connection", b"close")
UNAUTHORIZED = 401
MAX_ECHO = 1_048_576
"""Bytes of failed events that one answer repeats; further entries have `event` null."""

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer."""

    status: int
    body: bytes = b""
    headers: Headers = ()


NO_CONTENT = Reply(204)
CREATED = Reply(201)
HASTY = Reply(202, b'{"durability":"none"}', (JSON,))

CHALLENGE = (b"www-authenticate", b'Bearer realm="sluiceway"')
DENIAL = (b"www-authenticate", b'Bearer realm="sluiceway", error="invalid_token"')

_ALONE = {
    "too_large": 413,
    "unsupported_media": 415,
    "credentials_missing": 401,
    "credentials_refused": 401,
    "producer_not_allowed": 403,
    "value_not_allowed": 403,
}
_BESIDE: Mapping[str, Headers] = {
    "credentials_missing": (CHALLENGE,),
    "credentials_refused": (DENIAL,),
}


def reply_of(outcomes: Sequence[Outcome]) -> Reply:
    """Return the answer that tells the caller what became of every event."""
    for outcome in outcomes:  # `all` with a call of `_is_acked` for each takes three times as long
        if outcome.delivery is None or outcome.delivery.durability != "acked":
            break
    else:
        return CREATED
    failed = [(index, outcome) for index, outcome in enumerate(outcomes) if outcome.error]
    if not failed:
        return _spooled(outcomes)
    body = _failures(failed, whole=False)
    if len(failed) < len(outcomes):
        return Reply(207, _with_spooled(body, outcomes), (JSON,))
    return _all_failed([outcome.error for _, outcome in failed if outcome.error], body)


def reply_of_refusal(outcomes: Sequence[Outcome], status: int | None = None) -> Reply:
    """Return the answer to a request that was refused as a whole, and close the connection.

    `status` overrides the one that follows from the reason.
    """
    body = _failures([(0, outcome) for outcome in outcomes], whole=True)
    reply = _all_failed([outcome.error for outcome in outcomes if outcome.error], body)
    return Reply(status or reply.status, body, (*reply.headers, CLOSE))


def overloaded() -> Reply:
    """Return the answer to a request that is turned away unread, because of those before it."""
    error = Overloaded(
        "There is more to do than can be done in time; the request was not taken.",
        hint="Send it again in a few seconds, or to another instance.",
    )
    outcome = Outcome(RawEvent(None), None, None, None, error)
    return reply_of_refusal([outcome])


def cut_off() -> Reply:
    """Return the answer to a request whose events were being stored when the service had to end."""
    error = UnknownDelivery(
        "The service stopped before it knew: each event may or may not be stored.",
        hint="Sending them again is safe where consumers drop repeated meta.id.",
    )
    return reply_of_refusal([Outcome(RawEvent(None), None, None, None, error)])


def plain_failure(status: int, message: str, headers: Headers = ()) -> Reply:
    """Return an answer about the request itself (no such route, wrong method, a defect)."""
    entry = {"status": "error", "event": None, "context": {"message": message}}
    return Reply(status, orjson.dumps({"error": [entry]}), (JSON, *headers))


def _is_acked(outcome: Outcome) -> bool:
    return outcome.delivery is not None and outcome.delivery.durability == "acked"


def _spooled(outcomes: Sequence[Outcome]) -> Reply:
    spooled = sum(not _is_acked(outcome) for outcome in outcomes)
    body = {"durability": "spooled", "spooled": spooled, "acked": len(outcomes) - spooled}
    return Reply(202, orjson.dumps(body), (JSON,))


def _with_spooled(body: bytes, outcomes: Sequence[Outcome]) -> bytes:
    """Name the events that are only spooled, so that the others are known to be acknowledged."""
    spooled = [
        {"status": "success", "index": index, "id": _id_of(outcome), "event": None}
        for index, outcome in enumerate(outcomes)
        if outcome.delivery is not None and outcome.delivery.durability == "spooled"
    ]
    return b'%b,"spooled":%b}' % (body[:-1], orjson.dumps(spooled)) if spooled else body


def _all_failed(errors: Sequence[EventError], body: bytes) -> Reply:
    reasons = {error.reason for error in errors}
    failures = {error.reason for error in errors if isinstance(error, IntakeFailure)}
    if not failures:
        statuses = {_ALONE.get(reason, 400) for reason in reasons}
        status = statuses.pop() if len(statuses) == 1 else 400
        beside = _BESIDE.get(next(iter(reasons)), ()) if status == UNAUTHORIZED else ()
        return Reply(status, body, (JSON, *beside))
    if "unknown_delivery" in failures:
        return Reply(504, body, (JSON,))
    if failures == {"internal"}:
        return Reply(500, body, (JSON,))
    if failures == {"rate_limited"}:
        waits = [error.retry_after for error in errors if isinstance(error, RateLimited)]
        return Reply(429, body, (JSON, (b"retry-after", b"%d" % max(waits))))
    return Reply(503, body, (JSON, RETRY_AFTER))


def _failures(failed: Iterable[tuple[int, Outcome]], *, whole: bool) -> bytes:
    groups: dict[str, list[bytes]] = {"invalid": [], "error": []}
    echoed = 0
    for index, outcome in failed:
        event = None if whole or echoed > MAX_ECHO else _echo(outcome)
        entry = _entry(outcome, None if whole else index)
        try:
            text = orjson.dumps(entry | {"event": event})
        except TypeError:  # it could not be stored, so it cannot be repeated either
            text = orjson.dumps(entry)
        echoed += len(text)
        groups[outcome.status].append(text)
    lists = (b'"%s":[%s]' % (name.encode(), b",".join(items)) for name, items in groups.items())
    return b"{%s}" % b",".join(lists)


def _echo(outcome: Outcome) -> dict[str, Any] | None:
    """Return the event as it was sent: never what the server knew and would have added."""
    return outcome.raw.payload if isinstance(outcome.raw.payload, dict) else None


def _entry(outcome: Outcome, index: int | None) -> dict[str, Any]:
    error = outcome.error
    assert error is not None
    entry: dict[str, Any] = {
        "status": outcome.status,
        "reason": outcome.reason,
        "index": index,
        "id": _id_of(outcome),
        "event": None,
        "context": _context(error),
    }
    facts = {
        "pointer": error.pointer,
        "expected": error.expected,
        "got": error.got,
        "hint": error.hint,
    }
    return entry | {name: fact for name, fact in facts.items() if fact is not None}


def _context(error: EventError) -> dict[str, Any]:
    message = str(error)
    if isinstance(error, IntakeFailure):
        return {"message": message}
    errors = [_violation(violation) for violation in error.violations]
    texts = [f"'{entry['dataPath']}' {entry['message']}" for entry in errors]
    return {"message": message, "errors": errors, "errorsText": ", ".join(texts) or message}


def _violation(violation: Violation) -> dict[str, Any]:
    """Return a violation under the names that EventGate's clients know, and ours."""
    return {
        "keyword": violation.keyword,
        "dataPath": _data_path(violation.pointer),
        "schemaPath": violation.schema_pointer,
        "params": violation.params,
        "message": violation.message,
        "pointer": violation.pointer,
        "expected": violation.expected,
        "got": violation.got,
        "hint": violation.hint,
    }


def _data_path(pointer: str) -> str:
    """Return a JSON pointer as the JavaScript property path that EventGate reports."""
    path = ""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if name.isdigit():
            path += f"[{name}]"
        elif name.isidentifier() or name.replace("$", "_").isidentifier():
            path += f".{name}"
        else:
            path += f"['{name}']"
    return path


def _id_of(outcome: Outcome) -> str | None:
    meta = outcome.event.body.get("meta") if outcome.event else None
    event_id = meta.get("id") if isinstance(meta, dict) else None
    return event_id[:100] if isinstance(event_id, str) else None
