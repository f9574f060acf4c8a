"""CORS with an exact allow list: which origins may read our answers in a browser."""

from collections.abc import Sequence
from typing import Any

from app.web.replies import Headers, Reply

ANY = "*"
_HEADERS = b"accept, content-encoding, content-type, x-requested-with"
_VARY = (b"vary", b"Origin")


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
        self._any = ANY in origins
        self._origins = frozenset(origin.encode() for origin in origins)
        self.on = bool(origins)

    def headers(self, scope: Any) -> Headers:
        """Return the headers that belong to the answer of this request."""
        if self._any:
            return ((b"access-control-allow-origin", b"*"),)
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        if origin in self._origins and origin is not None:
            return ((b"access-control-allow-origin", origin), _VARY)
        return (_VARY,)

    def preflight(self, scope: Any) -> Reply:
        """Return the answer to OPTIONS."""
        headers = self.headers(scope) if self.on else ()
        allowed = any(name == b"access-control-allow-origin" for name, _ in headers)
        return Reply(204, b"", (*headers, *(self._preflight if allowed else ())))
