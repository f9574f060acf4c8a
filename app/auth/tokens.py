"""Tokens: JWTs of one issuer, proven with its public keys; the subject is one of their claims."""

import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import jwt

from app.auth.credentials import refused
from app.auth.jwks import Jwks, KeyTable
from app.core.errors import CredentialsRefused
from app.core.json import loads

MAX_SEEN = 10_000
MAX_HEAD = 2_048
MAX_SUBJECT = 200


class _Seen(NamedTuple):
    subject: str
    expires: float
    table: KeyTable


class Tokens:
    """Proves JWTs. Remembers the recent ones that it found good, by their hashes.

    `algorithms` are the only ones that count, whatever a token or a key says. `leeway` is in
    seconds, for clocks that differ. `prefix` is put before the claim's value.
    """

    def __init__(
        self,
        jwks: Jwks,
        *,
        issuer: str,
        audience: Sequence[str],
        algorithms: Sequence[str],
        claim: str = "sub",
        prefix: str = "",
        leeway: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.jwks = jwks
        self._issuer = issuer
        self._audience = tuple(audience)
        self._algorithms = frozenset(algorithms)
        self._claim = claim
        self._prefix = prefix
        self._leeway = leeway
        self._clock = clock
        self._seen: dict[bytes, _Seen] = {}

    async def start(self) -> None:
        """Get the issuer's keys; raises ConfigError."""
        await self.jwks.start()

    async def stop(self) -> None:
        """End what is under way."""
        await self.jwks.stop()

    @property
    def keys_age(self) -> float | None:
        """Seconds since the keys in force were fetched, None without any."""
        return self.jwks.age_seconds

    @property
    def keys_problem(self) -> str | None:
        """Why the last fetch failed, None if it did not."""
        return self.jwks.last_error

    def recalled(self, token: str) -> str | None:
        """Return the subject of a token that was proven before and still holds, else None."""
        digest = sha256(token.encode()).digest()
        seen = self._seen.get(digest)
        if seen is None:
            return None
        # Keys that were taken back prove nothing any more, and what they had proven neither.
        if seen.table is self.jwks.in_force() and self._clock() < seen.expires + self._leeway:
            return seen.subject
        del self._seen[digest]
        return None

    async def subject_of(self, token: str) -> str:
        """Return the subject of a token; raises CredentialsRefused or IdentityUnavailable."""
        algorithm, kid = _head_of(token)
        if algorithm not in self._algorithms:
            raise refused("The token is signed in a way that is not taken here.")
        key, table = await self.jwks.key_of(kid, algorithm)
        # The library reads a whole token before it looks at the signature, for a millisecond if it
        # is long. What is not signed does not get there; what is, it judges from the beginning.
        if not _is_signed(token, key):
            raise refused("The token is not valid.")
        claims = self._proven(token, key, algorithm)
        subject = claims.get(self._claim)
        if not isinstance(subject, str) or not _is_subject(subject):
            raise refused(f"The token's claim {self._claim} names nobody.")
        subject = self._prefix + subject
        self._remember(token, _Seen(subject, claims["exp"], table))
        return subject

    def _proven(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud", self._claim]},
            )
            claims["exp"] = float(claims["exp"])
        except jwt.PyJWTError as error:
            raise _refused_for(error) from error
        except (
            ValueError,
            TypeError,
            OverflowError,
            RecursionError,
        ) as error:  # claims of impossible kinds
            raise refused("The token's claims cannot be read.") from error
        return claims

    def _remember(self, token: str, seen: _Seen) -> None:
        if len(self._seen) >= MAX_SEEN:
            del self._seen[next(iter(self._seen))]
        self._seen[sha256(token.encode()).digest()] = seen


def _head_of(token: str) -> tuple[str, str | None]:
    """Return the algorithm and the key's id that a token names; raises CredentialsRefused."""
    segment = token.partition(".")[0]
    try:
        head = loads(_bytes_of(segment)) if len(segment) <= MAX_HEAD else None
    except ValueError as error:
        raise refused("The token cannot be read.") from error
    if not isinstance(head, dict):
        raise refused("The token cannot be read.")
    algorithm, kid = head.get("alg"), head.get("kid")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None):
        raise refused("The token does not say how it is signed.")
    return algorithm, kid


def _is_signed(token: str, key: jwt.PyJWK) -> bool:
    signed, _, signature = token.rpartition(".")
    try:
        return bool(key.Algorithm.verify(signed.encode(), key.key, _bytes_of(signature)))
    except ValueError:
        return False


def _bytes_of(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _is_subject(text: str) -> bool:
    return 0 < len(text) <= MAX_SUBJECT and text.isprintable() and text.strip() == text


def _refused_for(error: jwt.PyJWTError) -> CredentialsRefused:
    """Say what the token's owner can mend; an attacker learns nothing from it."""
    match error:
        case jwt.ExpiredSignatureError():
            return refused("The token has expired.")
        case jwt.ImmatureSignatureError():
            return refused("The token is not valid yet.")
        case jwt.InvalidAudienceError():
            return refused("The token is for another audience.")
        case jwt.InvalidIssuerError():
            return refused("The token is of another issuer.")
        case jwt.MissingRequiredClaimError():
            return refused("The token lacks a claim: it needs exp, iss, aud and its subject.")
        case _:
            return refused("The token is not valid.")
