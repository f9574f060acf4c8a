"""Request ids: one that a client brings is used if it is harmless, else the request gets its own.

It stands in the answer, in the log and in the events of the request, so what a client brings is
held to few characters and a length.
"""

import re
from typing import Any

from app.core.current import CurrentRequest

NAME = b"x-request-id"

# UUIDs, ULIDs, base64, and what load balancers make: `Root=1-67891233-abcdef012345678912345678`.
_SANE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")


def is_sane(value: bytes) -> bool:
    """Say whether a header's value may be used as an id."""
    return _SANE.fullmatch(value) is not None


def take_id(current: CurrentRequest, scope: Any) -> None:
    """Use the id that a request brings, if it has none yet and brings one that may be used."""
    if current.id is None:
        brought = [value.strip(b" \t") for name, value in scope["headers"] if name == NAME]
        if len(brought) == 1 and is_sane(brought[0]):
            current.id = brought[0].decode()


def beside_answer(current: CurrentRequest, scope: Any) -> tuple[bytes, bytes]:
    """Return the header that tells the request's id: the one it brought, or one made now."""
    take_id(current, scope)
    return (NAME, current.named().encode())
