"""The issuer's public keys: kept, renewed when old or when a token names one that is not known."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import jwt

from app.auth.credentials import refused
from app.core.errors import ConfigError, IdentityUnavailable, IntakeError
from app.core.json import JsonError, loads

logger = logging.getLogger(__name__)

MAX_KEYS = 100
MAX_MEMBER = 2_000

FITTING: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""Which algorithms a kind of key proves. Keys that are shared secrets (oct) prove none here."""

_PUBLIC = ("kty", "crv", "n", "e", "x", "y")


class JwksError(IntakeError):
    """The keys cannot be had, or are none; the message says why."""


class Source(Protocol):
    """Where the keys come from; `name` is for people, `remote` means: not a file."""

    name: str
    remote: bool

    async def fetch(self) -> bytes:
        """Return the document, or raise JwksError; must end in bounded time."""
        ...


class KeyTable(NamedTuple):
    """The keys of one document; `document` is its text."""

    document: bytes
    keys: Mapping[tuple[str | None, str], jwt.PyJWK]

    def get(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Return the key of that id, or the only one that fits if there is no id."""
        if kid is not None:
            return self.keys.get((kid, algorithm))
        fitting = [key for (_, other), key in self.keys.items() if other == algorithm]
        return fitting[0] if len(fitting) == 1 else None


class Jwks:
    """The keys in force; remembers the last good ones for as long as no others can be had.

    After `ttl` seconds they are fetched again while the old ones serve. A token with an unknown key
    makes one fetch for all who wait, at most every `interval` seconds. `count` is told of each
    fetch whether it succeeded.
    """

    def __init__(
        self,
        source: Source,
        *,
        ttl: float = 300.0,
        interval: float = 10.0,
        count: Callable[[bool], None] = lambda _good: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._ttl = ttl
        self._interval = interval
        self._count = count
        self._clock = clock
        self._table: KeyTable | None = None
        self._fetched_at = 0.0
        self._asked_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self.last_error: str | None = None

    async def start(self) -> None:
        """Fetch the keys, once; raises ConfigError if they are in a file that cannot be used."""
        await self._renewed()
        if self._table is None and not self._source.remote:
            raise ConfigError(f"auth.jwt.jwks: {self._source.name}: {self.last_error}")

    async def stop(self) -> None:
        """End a fetch that is under way."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def age_seconds(self) -> float | None:
        """Seconds since the keys in force were fetched, None if there are none."""
        return None if self._table is None else self._clock() - self._fetched_at

    def in_force(self) -> KeyTable | None:
        """Return the keys in force, and have them renewed if they are old."""
        if self._clock() - self._fetched_at > self._ttl and self._may_ask():
            self._ask()
        return self._table

    async def key_of(self, kid: str | None, algorithm: str) -> tuple[jwt.PyJWK, KeyTable]:
        """Return a key and its table; raises CredentialsRefused or IdentityUnavailable."""
        key = _found(self.in_force(), kid, algorithm)
        if key is None and (self._task or self._may_ask()):
            await self._renewed()
            key = _found(self._table, kid, algorithm)
        if key is not None:
            return key
        if self._table is None or self.last_error:
            raise IdentityUnavailable(
                "The keys that would prove the token cannot be had now.",
                hint="Send it again in a few seconds.",
            )
        raise refused("The token's key is none of its issuer's.")

    def _may_ask(self) -> bool:
        return self._task is None and self._clock() - self._asked_at >= self._interval

    def _ask(self) -> asyncio.Task[None]:
        self._asked_at = self._clock()
        self._task = asyncio.create_task(self._renew())
        return self._task

    async def _renewed(self) -> None:
        # Whoever asked first may leave; the others still wait for the same answer.
        await asyncio.shield(self._task or self._ask())

    async def _renew(self) -> None:
        try:
            document = await self._source.fetch()
            if self._table is None or document != self._table.document:
                self._table = await asyncio.to_thread(table_of, document)
            self._fetched_at = self._clock()
            self.last_error = None
        except JwksError as error:
            self.last_error = str(error)
            logger.warning(
                "The keys for tokens cannot be renewed; those from before are kept."
                if self._table
                else "The keys for tokens cannot be had; no token can be proven.",
                extra={"source": self._source.name, "problem": str(error)},
            )
        finally:
            self._task = None
        self._count(self.last_error is None)


def _found(
    table: KeyTable | None, kid: str | None, algorithm: str
) -> tuple[jwt.PyJWK, KeyTable] | None:
    key = table.get(kid, algorithm) if table else None
    return (key, table) if key and table else None


def table_of(document: bytes) -> KeyTable:
    """Read a JWKS (RFC 7517); raises JwksError if it holds no key that can be used here.

    Keys that cannot be used are left out: an issuer may have others for other purposes.
    """
    try:
        value = loads(document)
    except JsonError as error:
        raise JwksError("it is not JSON") from error
    listed = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise JwksError("it is no JWKS: it has no list of keys")
    if len(listed) > MAX_KEYS:
        raise JwksError(f"it has more than {MAX_KEYS} keys")
    keys: dict[tuple[str | None, str], jwt.PyJWK] = {}
    unnamed = 0
    for each in listed:
        for algorithm in _algorithms_of(each):
            key = _key(each, algorithm)
            kid = each.get("kid")
            if key is None or not isinstance(kid, str | None):
                continue
            if kid is None:  # only to be found by tokens that name no key either
                unnamed += 1
                kid = f"\0{unnamed}"
            keys.setdefault((kid, algorithm), key)
    if not keys:
        raise JwksError("it holds no public key that can be used")
    return KeyTable(document, keys)


def _algorithms_of(value: Any) -> tuple[str, ...]:
    if not isinstance(value, dict) or value.get("use", "sig") != "sig":
        return ()
    operations = value.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return ()
    kind, curve = value.get("kty"), value.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return ()
    fitting = FITTING.get((kind, curve), ())
    return tuple(name for name in fitting if value.get("alg", name) == name)


def _key(value: Mapping[str, Any], algorithm: str) -> jwt.PyJWK | None:
    # Only what is public is taken, whatever an issuer gives away.
    public = {name: value[name] for name in _PUBLIC if name in value}
    if any(not isinstance(text, str) or len(text) > MAX_MEMBER for text in public.values()):
        return None
    try:
        key = jwt.PyJWK(public, algorithm)
        too_short = key.Algorithm.check_key_length(key.key)
    except Exception:  # noqa: BLE001 (two libraries judge it; whatever they raise, it is no key)
        return None
    return None if too_short else key
