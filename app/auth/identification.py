"""Identification: from a request's credentials to the subject that they prove."""

from typing import Protocol

from app.auth.credentials import Credentials, refused
from app.auth.keys import ApiKeys


class TokenJudge(Protocol):
    """What proves JWTs. `keys_age` and `keys_problem` tell of its issuer's keys."""

    async def start(self) -> None:
        """Get the issuer's keys; raises ConfigError."""
        ...

    async def stop(self) -> None:
        """End what is under way."""
        ...

    def recalled(self, token: str) -> str | None:
        """Return the subject of a token that was proven before and still holds, else None."""
        ...

    async def subject_of(self, token: str) -> str:
        """Return the subject of a token; raises CredentialsRefused or IdentityUnavailable."""
        ...

    @property
    def keys_age(self) -> float | None:
        """Seconds since the keys in force were fetched, None without any."""
        ...

    @property
    def keys_problem(self) -> str | None:
        """Why the last fetch failed, None if it did not."""
        ...


class Identification:
    """Knows who may be believed. `tokens` None: JWTs are refused."""

    def __init__(self, *, keys: ApiKeys, tokens: TokenJudge | None = None) -> None:
        self.keys = keys
        self.tokens = tokens

    async def start(self) -> None:
        """Get the keys that tokens are proven with; raises ConfigError."""
        if self.tokens:
            await self.tokens.start()

    async def stop(self) -> None:
        """End what is under way."""
        if self.tokens:
            await self.tokens.stop()

    def recalled(self, credentials: Credentials) -> str | None:
        """Return the subject if that costs next to nothing: of an API key, or a token seen."""
        if credentials.kind == "key":
            return self.keys.subject_of(credentials.secret)
        return self.tokens.recalled(credentials.secret) if self.tokens else None

    async def subject_of(self, credentials: Credentials) -> str:
        """Return the subject; raises CredentialsRefused or IdentityUnavailable."""
        if credentials.kind == "token" and self.tokens:
            return await self.tokens.subject_of(credentials.secret)
        subject = self.keys.subject_of(credentials.secret)
        if subject is None:
            raise refused("The API key is not known.")
        return subject
