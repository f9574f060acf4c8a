"""What a request says about who sent it, as far as it can be believed."""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from app.core.current import CURRENT
from app.core.events import Context
from app.core.ids import UuidPool
from app.web.requestids import NAME, is_sane

MAX_FORWARDED = 4_096
REQUEST_ID = NAME.decode()
CLIENT_IP = "x-client-ip"
FORWARDED_FOR = "x-forwarded-for"

Header = Callable[[str], str | None]


class Headers:
    """The headers of a request, by lower-case name; several of one name are joined by a comma.

    A request without an id that may be used gets one of `ids`, once somebody asks for it, so that
    its events can be found together.
    """

    __slots__ = ("_ids", "_values")

    def __init__(self, raw: Sequence[tuple[bytes, bytes]], ids: UuidPool | None = None) -> None:
        self._ids = ids
        self._values = dict(raw)
        if len(self._values) < len(raw):
            self._values = _joined(raw)
        if ids is not None and (brought := self._values.get(NAME)) is not None:
            brought = brought.strip(b" \t")
            if not is_sane(brought):
                del self._values[NAME]
            elif (current := CURRENT.get()) is not None:
                current.id = brought.decode()

    def get(self, name: str) -> str | None:
        """Return the header of that name, None if there is none."""
        value = self._values.get(name.encode())
        if value is None:
            return self._own_id(self._ids) if name == REQUEST_ID and self._ids else None
        # Browsers send ASCII; what is not UTF-8 is read as HTTP always was, so nothing is lost.
        # Blanks around a value are none of it (RFC 9110, 5.5); the parser leaves those at the end.
        value = value.strip(b" \t")
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")

    def _own_id(self, ids: UuidPool) -> str:
        current = CURRENT.get()
        own = ids.next() if current is None or current.id is None else current.id
        if current is not None:
            current.id = own
        self._values[NAME] = own.encode()
        return own


class Contexts:
    """Makes the Context of each request.

    `trusted_proxies` are addresses or networks; only what came through them may say for whom, in
    the headers of `client_headers` that they write.
    """

    def __init__(
        self,
        *,
        trusted_proxies: Sequence[str],
        client_headers: Sequence[str] = (CLIENT_IP, FORWARDED_FOR),
    ) -> None:
        self._named = CLIENT_IP in client_headers
        self._forwarded = FORWARDED_FOR in client_headers
        self._trusted = [ip_network(entry, strict=False) for entry in trusted_proxies]
        self._ids = UuidPool()
        self._is_trusted = lru_cache(maxsize=4_096)(self._looks_trusted)

    def of(self, scope: Any, source: str) -> Context:
        """Return the context of an ASGI request that arrives now."""
        header = Headers(scope["headers"], self._ids).get
        return Context(source, time.time_ns() // 1_000_000, self._client_ip(scope, header), header)

    def client_of(self, scope: Any) -> str | None:
        """Return the address of the client of an ASGI request."""
        return self._client_ip(scope, Headers(scope["headers"]).get)

    def _client_ip(self, scope: Any, header: Header) -> str | None:
        peer: str | None = scope["client"][0] if scope.get("client") else None
        peer = _address_of_peer(peer) or peer
        if peer is None or not self._trusted or not self._is_trusted(peer):
            return peer
        named = header(CLIENT_IP) if self._named else None
        if named is not None or not self._forwarded:
            # One that cannot be read, or stands there twice, lets no other header speak for it.
            return _address(named) or peer
        # The nearest hop wrote the last entry; walk back until somebody whom we do not know.
        forwarded = (header(FORWARDED_FOR) or "")[-MAX_FORWARDED:]
        client = peer
        for entry in reversed(forwarded.split(",")):
            address = _address(entry)
            if address is None:
                break
            client = address
            if not self._is_trusted(address):
                break
        return client

    def _looks_trusted(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return any(_plain(address) in network for network in self._trusted)


def _joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    values: dict[bytes, list[bytes]] = {}
    for name, value in raw:
        values.setdefault(name, []).append(value)
    return {name: b", ".join(listed) for name, listed in values.items()}


def _address(text: str | None) -> str | None:
    if not text or "%" in text:  # a scope is of no use elsewhere, and may be any text
        return None
    try:
        return str(_plain(ip_address(text.strip())))
    except ValueError:
        return None


_address_of_peer = lru_cache(maxsize=4_096)(_address)
"""For what the socket says only: headers may be long, and each of them another."""


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address inside an IPv4-mapped IPv6 one."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
