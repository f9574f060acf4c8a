"""Identification: from a request's credentials to the subject that they prove."""

from app.auth.credentials import Credentials, refused
from app.auth.keys import ApiKeys
from app.auth.tokens import Tokens


class Identification:
    """Knows who may be believed. `tokens` None: JWTs are refused."""

    def __init__(self, *, keys: ApiKeys, tokens: Tokens | None = None) -> None:
        self._keys = keys
        self._tokens = tokens

    async def start(self) -> None:
        """Get the keys that tokens are proven with; raises ConfigError."""
        if self._tokens:
            await self._tokens.jwks.start()

    async def stop(self) -> None:
        """End what is under way."""
        if self._tokens:
            await self._tokens.jwks.stop()

    @property
    def keys_age(self) -> float | None:
        """Seconds since the keys for tokens were fetched, None without any."""
        return self._tokens.jwks.age_seconds if self._tokens else None

    @property
    def keys_problem(self) -> str | None:
        """Why the keys for tokens could not be fetched when that was last tried, if it failed."""
        return self._tokens.jwks.last_error if self._tokens else None

    def recalled(self, credentials: Credentials) -> str | None:
        """Return the subject if that costs next to nothing: of an API key, or a token seen."""
        if credentials.kind == "key":
            return self._keys.subject_of(credentials.secret)
        return self._tokens.recalled(credentials.secret) if self._tokens else None

    async def subject_of(self, credentials: Credentials) -> str:
        """Return the subject; raises CredentialsRefused or IdentityUnavailable."""
        if credentials.kind == "token" and self._tokens:
            return await self._tokens.subject_of(credentials.secret)
        subject = self._keys.subject_of(credentials.secret)
        if subject is None:
            raise refused("The API key is not known.")
        return subject
