"""HTTP/1.1 as uvicorn speaks it, with limits to what a connection may take.

What comes whole and is for a hot path takes a shorter way than ASGI.
"""

from app.protocol.connection import Connection
from app.protocol.exchange import Exchange, HotRoute
from app.protocol.limits import MAX_HEAD, MAX_URL, Limits, raise_descriptor_limit

__all__ = [
    "MAX_HEAD",
    "MAX_URL",
    "Connection",
    "Exchange",
    "HotRoute",
    "Limits",
    "raise_descriptor_limit",
]
