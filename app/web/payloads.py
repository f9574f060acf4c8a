"""Payloads: what a body of JSON holds, one event or an array of them."""

import asyncio
from typing import Any

from app.core.errors import EventTooLarge, MalformedEvent
from app.core.json import JsonError, loads_each
from app.web.guard import Refusal

IN_THREAD = 256 * 1024
"""Bytes of a body from which on others go on while it is looked through."""


async def read_payloads(body: bytes, max_events: int) -> list[Any]:
    """Return the events of a whole body, unread; raises Refusal."""
    if len(body) > IN_THREAD:
        return await asyncio.to_thread(payloads_of, body, max_events)
    return payloads_of(body, max_events)


def payloads_of(body: bytes, max_events: int) -> list[Any]:
    """Return the events of a whole body, unread; raises Refusal."""
    try:
        value = loads_each(body)
    except JsonError as error:
        message = str(error) if body.strip() else "The request has no body."
        raise Refusal(
            MalformedEvent(
                message,
                expected="a JSON object, or an array of them",
                hint="Send an event as a JSON object, or several in an array.",
            ),
            body,
            whole=True,
        ) from error
    payloads = value if isinstance(value, list) else [value]
    if not payloads:
        raise Refusal(
            MalformedEvent("The request holds no events: its array is empty."), body, whole=True
        )
    if len(payloads) > max_events:
        raise Refusal(
            EventTooLarge(
                f"The request holds {len(payloads):,} events; at most {max_events:,} are taken.",
                expected=f"at most {max_events:,} events",
                got=f"{len(payloads):,} events",
                hint="Send fewer at once. The limit is the setting http.max_events.",
            ),
            whole=True,
        )
    return payloads
