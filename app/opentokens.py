"""From settings to what proves JWTs; kept apart, since its libraries are loaded only where used."""

from collections.abc import Callable

from app.auth.jwks import Jwks, Source
from app.auth.sources import JwksFile, JwksUrl
from app.auth.tokens import Tokens
from app.settings import JwtSettings


def open_tokens(settings: JwtSettings, jwks: str, count: Callable[[bool], None]) -> Tokens:
    """Return what proves tokens with the keys at `jwks`, not yet started."""
    assert settings.issuer is not None, "the settings have checked that"
    return Tokens(
        Jwks(
            source_of(jwks, settings.timeout),
            ttl=settings.ttl,
            interval=settings.interval,
            count=count,
        ),
        issuer=settings.issuer,
        audience=settings.audience,
        algorithms=settings.algorithms,
        claim=settings.subject_claim,
        prefix=settings.subject_prefix,
        leeway=settings.leeway,
    )


def source_of(jwks: str, timeout: float) -> Source:
    """Return where keys come from: a server, asked for at most `timeout` seconds, or a file.

    Raises ConfigError if it is a URI that cannot be read.
    """
    return JwksUrl(jwks, timeout=timeout) if "://" in jwks else JwksFile(jwks)
