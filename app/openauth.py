"""From settings to what knows who sends, and how much they may: None where nothing is set."""

from collections.abc import Callable
from pathlib import Path

from app.auth.identification import Identification, TokenJudge
from app.auth.keys import ApiKeys
from app.core.yaml import YamlError, parse_yaml
from app.rates import Rate, Rates
from app.settings import AuthSettings, JwtSettings, LimitSettings, hash_problem


def open_identification(
    settings: AuthSettings, count: Callable[[bool], None]
) -> tuple[Identification | None, list[str]]:
    """Return what identifies, not yet started, and all that is wrong with the file of keys."""
    hashes: dict[str, list[str]] = {}
    problems: list[str] = []
    for owner, several in settings.api_keys.items():
        hashes.setdefault(owner, []).extend(_listed(several))
    if settings.api_keys_file is not None:
        further, problems = _read(settings.api_keys_file)
        for owner, listed in further.items():
            hashes.setdefault(owner, []).extend(listed)
    if not hashes and settings.jwt.jwks is None:
        return None, problems
    tokens = _tokens(settings.jwt, settings.jwt.jwks, count) if settings.jwt.jwks else None
    return Identification(keys=ApiKeys(hashes), tokens=tokens), problems


def open_rates(settings: LimitSettings) -> Rates | None:
    """Return the limits, None if there are none."""
    requests = _rate(settings.requests_per_second, settings.request_burst)
    events = _rate(settings.events_per_second, settings.event_burst)
    if requests is None and events is None:
        return None
    return Rates(requests=requests, events=events, max_clients=settings.max_clients)


def _tokens(settings: JwtSettings, jwks: str, count: Callable[[bool], None]) -> TokenJudge:
    # Only a process that takes tokens pays for the libraries: 50 ms at start, and 11 MiB.
    from app.opentokens import open_tokens  # noqa: PLC0415 (see above)

    return open_tokens(settings, jwks, count)


def _rate(per_second: float | None, burst: int | None) -> Rate | None:
    return None if per_second is None else Rate(per_second, burst or max(1.0, per_second))


def _read(path: str) -> tuple[dict[str, list[str]], list[str]]:
    try:
        value = parse_yaml(Path(path).read_bytes())
    except OSError as error:
        return {}, [f"auth.api_keys_file: {path} cannot be read: {error.strerror or error}."]
    except YamlError:  # its words may hold what the file holds
        return {}, [f"auth.api_keys_file: {path} is neither YAML nor JSON."]
    if not isinstance(value, dict):
        return {}, [f"auth.api_keys_file: {path} is no mapping of owners to hashes of keys."]
    problems = [hash_problem(owner, hashes) for owner, hashes in value.items()]
    told = [f"auth.api_keys_file: {problem}" for problem in problems if problem]
    if told:
        return {}, told
    return {owner: _listed(hashes) for owner, hashes in value.items()}, []


def _listed(hashes: str | list[str]) -> list[str]:
    return hashes if isinstance(hashes, list) else [hashes]
