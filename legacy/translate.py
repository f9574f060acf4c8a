"""A capsule in the modern shape: which of its fields are kept, moved, replaced or dropped."""

from typing import Any

from legacy.clienttime import utc_of
from legacy.mapping import Target

USER_AGENT_LIMIT = 400

# Ours to say, moved elsewhere, or gone from the modern schemas. Addresses (ip, clientIp, http) are
# dropped rather than passed on to be refused: an error event would store them.
NOT_KEPT = frozenset(
    {
        "$schema",
        "clientIp",
        "clientValidated",
        "client_dt",
        "dt",
        "http",
        "ip",
        "isTruncated",
        "isValid",
        "meta",
        "recvFrom",
        "seqId",
        "timestamp",
        "topic",
        "userAgent",
        "uuid",
    }
)


def modern_body(capsule: dict[str, Any], target: Target) -> dict[str, Any]:
    """Return a capsule as the body of a modern event; the capsule is not edited.

    Fields that no capsule has are kept, for the schema to refuse.
    """
    body: dict[str, Any] = {"$schema": target.schema_uri, "meta": {"stream": target.stream}}
    body |= {name: value for name, value in capsule.items() if name not in NOT_KEPT}
    # PHP wrote an empty event as [] (bug 65607), and the old service took a capsule without any.
    if body.get("event") in (None, []):
        body["event"] = {}
    return body


def offers_of(capsule: dict[str, Any], *, received_dt: str, host: str | None) -> dict[str, Any]:
    """Return what a schema may have fields for: dotted path -> value."""
    offers: dict[str, Any] = {"dt": received_dt, "client_dt": _client_dt(capsule) or received_dt}
    web_host = capsule.get("webHost")
    if isinstance(web_host, str) and web_host:
        offers["meta.domain"] = web_host
    # A MediaWiki that sends on its server's behalf names the user's agent here, be it unknown ("");
    # the request's header would name MediaWiki (T178440).
    user_agent = capsule.get("userAgent")
    if isinstance(user_agent, str):
        offers["http.request_headers.user-agent"] = user_agent[:USER_AGENT_LIMIT]
    if host is not None:
        offers["recvFrom"] = host
    return offers


def _client_dt(capsule: dict[str, Any]) -> str | None:
    for name in ("client_dt", "dt", "timestamp"):
        if name in capsule and (moment := utc_of(capsule[name])):
            return moment
    return None
