"""CORS with an exact allow list: which origins may read our answers in a browser."""

from collections.abc import Sequence
from typing import Any

from app.web.replies import Headers, Reply

_ANY = b"*"
_HEADERS = b"accept, content-encoding, content-type, x-requested-with"
_VARY = (b"vary", b"Origin")
_EXPOSED = (b"access-control-expose-headers", b"retry-after, x-request-id")
"""What a page may read of an answer, beside what every page may: when to come again, and whose
lines of our log to ask for."""


class Cors:
    """Knows the allowed origins. Cookies are never allowed: events need none.

    `credentials`: scripts may send API keys and tokens, in headers of their own.
    """

    def __init__(self, origins: Sequence[str], *, credentials: bool = False) -> None:
        allowed = _HEADERS + (b", authorization, x-api-key" if credentials else b"")
        self._preflight: Headers = (
            (b"access-control-allow-methods", b"GET, POST"),
            (b"access-control-allow-headers", allowed),
            (b"access-control-max-age", b"600"),
        )
        self._origins = frozenset(origin.encode() for origin in origins)
        self._any = _ANY in self._origins
        self.on = bool(origins)

    def headers(self, scope: Any) -> Headers:
        """Return the headers that belong to the answer of this request."""
        origin = self._allowed(scope)
        if origin is None:
            return (_VARY,)
        return (*self._named(origin), _EXPOSED)

    def preflight(self, scope: Any) -> Reply:
        """Return the answer to OPTIONS."""
        if not self.on:
            return Reply(204, b"")
        origin = self._allowed(scope)
        if origin is None:
            return Reply(204, b"", (_VARY,))
        return Reply(204, b"", (*self._named(origin), *self._preflight))

    def _allowed(self, scope: Any) -> bytes | None:
        """Return what the answer names as allowed: the origin of the request, or `*`."""
        if self._any:
            return _ANY
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        return origin if origin in self._origins else None

    def _named(self, origin: bytes) -> Headers:
        allowed = (b"access-control-allow-origin", origin)
        # Where anybody may read, the answer is the same for everybody.
        return (allowed,) if self._any else (allowed, _VARY)
