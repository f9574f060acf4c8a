"""Credentials: what a request's headers hold to say who sends it, unproven."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from app.core.errors import CredentialsRefused

MAX_TOKEN = 8_192

Header = Callable[[str], str | None]

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")  # RFC 6750, 2.1
_KEY = re.compile(r"[!-~]+")
_DOTS_OF_JWT = 2


class Credentials(NamedTuple):
    """An API key or a JWT; never shown, not even when printed."""

    kind: Literal["key", "token"]
    secret: str

    def __repr__(self) -> str:
        return f"Credentials({self.kind})"


def credentials_of(header: Header) -> Credentials | None:
    """Return what the headers hold, None without any; raises CredentialsRefused.

    Several headers of one name reach us joined by a comma, and so are refused.
    """
    authorization = header("authorization")
    key = header("x-api-key")
    if authorization is None and key is None:
        return None
    if authorization is not None and key is not None:
        raise refused("The request has two credentials; send one.")
    text = authorization or key or ""
    if len(text) > MAX_TOKEN:
        raise refused(f"The credentials have more than {MAX_TOKEN:,} characters.")
    if authorization is None:
        if not _KEY.fullmatch(text):
            raise refused("The header X-API-Key is no API key.")
        return Credentials("key", text)
    bearer = _BEARER.fullmatch(text)
    if not bearer:
        raise refused("The header Authorization is not one Bearer key or token.")
    secret = bearer[1]
    return Credentials("token" if secret.count(".") == _DOTS_OF_JWT else "key", secret)


def refused(message: str) -> CredentialsRefused:
    """Return the error that says so; `message` must not hold the credentials."""
    return CredentialsRefused(
        message,
        expected="one API key or token, as Authorization: Bearer",
        hint="Send the key or token that you were given, once; a token must not have expired.",
    )
