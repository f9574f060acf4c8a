"""Schema repositories: whether each can be reached, and whether every stream has a schema."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from app.core.errors import ConfigError, EventError, SchemaNotFound
from app.diagnosis.findings import MAX_LISTED, Finding, counted, listed, ok, problem, warning
from app.diagnosis.web import Visit, server_of
from app.schemas.sources import FileSource, SourceError, without_password
from app.schemas.store import SchemaStore
from app.schemas.uris import LATEST

MAX_TITLES = 500
AT_ONCE = 8

_HTTP = ("http://", "https://")
_SERVER_ERROR = 500


async def examine_repositories(
    base_uris: Iterable[str], visits: Mapping[str, Visit]
) -> list[Finding]:
    """Look at each repository by itself; servers were visited before."""
    return [
        _of_server(uri, visits[server_of(uri)])
        if uri.lower().startswith(_HTTP)
        else await _of_folder(uri)
        for uri in base_uris
    ]


async def examine_schemas(
    store: SchemaStore,
    *,
    precached: Sequence[str],
    titles: Mapping[str, Sequence[str]],
    patience: float,
) -> list[Finding]:
    """Try to have what is to be precached, and the latest schema of every stream's title.

    Ends after `patience` seconds and says what was left out.
    """
    wanted = [*precached, *(f"/{title}/{LATEST}" for title in titles)][:MAX_TITLES]
    answers = await _had(store, wanted, patience)
    findings = [*_of_precached(precached, answers), *_of_titles(titles, answers)]
    left_out = len(precached) + len(titles) - len(answers)
    if left_out:
        findings.append(
            warning(
                "schemas",
                f"{counted(left_out, 'schema')} could not be looked at in the time there is.",
                "See whether the repositories answer quickly; the service loads a schema when the "
                "first event needs it.",
            )
        )
    return findings


async def _of_folder(uri: str) -> Finding:
    try:
        await FileSource(uri, max_bytes=1).fetch(f"/{LATEST}")
    except (ConfigError, SourceError) as error:
        return problem(
            "schemas",
            f"{str(error).rstrip('.')}.",
            "Let schemas.base_uris name folders that the service's user may read.",
        )
    return ok("schemas", f"{uri} can be read.")


def _of_server(uri: str, visit: Visit) -> Finding:
    shown = without_password(uri)
    if visit.trouble:
        return problem(
            "schemas",
            f"{shown} cannot be reached: {visit.trouble}.",
            "Correct schemas.base_uris, or see why this machine cannot reach that server. Without "
            "it events of schemas that are not known yet are answered 503.",
        )
    if visit.status >= _SERVER_ERROR:
        return warning(
            "schemas",
            f"{shown}: the server answers with status {visit.status}.",
            "Tell whoever runs that server.",
        )
    return ok("schemas", f"{shown} answers ({visit.seconds * 1000:.0f} ms).")


async def _had(
    store: SchemaStore, uris: Sequence[str], patience: float
) -> dict[str, EventError | None]:
    """Return for each schema why it cannot be had, None if it can; those in time only."""
    answers: dict[str, EventError | None] = {}
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(uri: str) -> None:
        async with turns:
            try:
                await store.get(uri)
            except EventError as error:
                answers[uri] = error
            else:
                answers[uri] = None

    tasks = [asyncio.create_task(one(uri)) for uri in dict.fromkeys(uris)]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return answers


def _of_precached(
    precached: Sequence[str], answers: Mapping[str, EventError | None]
) -> Iterable[Finding]:
    failed = [str(error) for uri in precached if (error := answers.get(uri)) is not None]
    if failed:
        yield problem(
            "schemas",
            f"Of schemas.precache_uris {_some(failed)}",
            "Correct schemas.precache_uris, or publish these schemas.",
        )
    elif precached and all(uri in answers for uri in precached):
        yield ok("schemas", f"{counted(len(precached), 'schema')} to precache can be had.")


def _of_titles(
    titles: Mapping[str, Sequence[str]], answers: Mapping[str, EventError | None]
) -> Iterable[Finding]:
    by_title = {title: answers.get(f"/{title}/{LATEST}") for title in titles}
    absent = [title for title, error in by_title.items() if isinstance(error, SchemaNotFound)]
    broken = [
        str(e) for e in by_title.values() if e is not None and not isinstance(e, SchemaNotFound)
    ]
    if absent:
        streams = [stream for title in absent for stream in titles[title]]
        yield warning(
            "schemas",
            f"No repository has a latest version of {listed(absent)}, "
            f"{'a schema' if len(absent) == 1 else 'schemas'} of the streams {listed(streams)}.",
            "Publish them (with a file `latest`, if only that is missing), or correct the "
            "schema_title of the streams: events that name no published version are answered 400.",
        )
    if broken:
        yield problem(
            "schemas",
            f"{counted(len(broken), 'schema')} of streams cannot be used: {_some(broken)}",
            "Mend these schemas, or the repository: until then their events are answered 503.",
        )
    good = sum(1 for title in titles if answers.get(f"/{title}/{LATEST}", broken) is None)
    if good:
        yield ok("schemas", f"{counted(good, 'schema')} of streams can be had.")


def _some(sentences: Sequence[str]) -> str:
    left = len(sentences) - MAX_LISTED
    return " ".join([*sentences[:MAX_LISTED], *([f"And {left:,} more."] if left > 0 else [])])
