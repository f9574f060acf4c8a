"""The keys that prove tokens: whether they can be had, and whether any of them is of use."""

from app.auth.jwks import JwksError, table_of
from app.core.errors import ConfigError
from app.diagnosis.findings import Finding, counted, listed, ok, problem
from app.opentokens import source_of
from app.settings import JwtSettings

_WITHOUT_SERVER = (
    "Correct auth.jwt.jwks, or see why this machine cannot have them. Without keys, events with "
    "tokens are answered 503; a service that has keys goes on with those."
)
_WITHOUT_FILE = "Correct auth.jwt.jwks or that file; the service does not start like this."


async def examine_tokens(settings: JwtSettings, jwks: str, patience: float) -> Finding:
    """Fetch the issuer's keys once, within `patience` seconds."""
    try:
        source = source_of(jwks, min(settings.timeout, patience))
    except ConfigError as error:
        return problem("auth", str(error), "Correct auth.jwt.jwks.")
    try:
        keys = table_of(await source.fetch()).keys
    except JwksError as error:
        return problem(
            "auth",
            f"The keys for tokens at {source.name} cannot be had: {error}.",
            _WITHOUT_SERVER if source.remote else _WITHOUT_FILE,
        )
    fitting = {algorithm for _, algorithm in keys}.intersection(settings.algorithms)
    if not fitting:
        return problem(
            "auth",
            f"No key at {source.name} is for {listed(settings.algorithms)}; every token is "
            "refused.",
            f"Let auth.jwt.algorithms name what the issuer signs with, which may be "
            f"{listed(sorted({algorithm for _, algorithm in keys}))}.",
        )
    useful = len({kid for kid, algorithm in keys if algorithm in fitting})
    return ok(
        "auth",
        f"{source.name}: {counted(useful, 'key')} for tokens, for {listed(sorted(fitting))}.",
    )
