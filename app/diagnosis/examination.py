"""The whole examination: reads the settings, and has each part looked at, at the same time.

Nothing is changed, and it ends within PATIENCE seconds whatever does not answer.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.core.errors import ConfigError
from app.diagnosis.clock import examine_clock
from app.diagnosis.findings import Area, Finding, ok, problem, warning
from app.diagnosis.kafka import examine_kafka
from app.diagnosis.machine import examine_limits, examine_log_file
from app.diagnosis.parts import (
    kafka_usage,
    own_streams,
    remote_uris,
    repositories,
    schema_store,
    spooling_of,
    stream_source,
)
from app.diagnosis.schemas import examine_repositories, examine_schemas
from app.diagnosis.spool import examine_spool
from app.diagnosis.streams import Configured, examine_streams
from app.diagnosis.web import Visit, visit_all
from app.schemas.store import SchemaStore
from app.service import BOTH_ARE_BELIEVED, NOBODY_IS_KNOWN, check
from app.settings import (
    JsonlSinkSettings,
    KafkaSinkSettings,
    MemorySinkSettings,
    Settings,
    SqliteSinkSettings,
)

logger = logging.getLogger(__name__)

PATIENCE = 14.0
"""Seconds for everything."""
STEP = 3.0
"""Seconds for one answer of one server, of which a few may be needed one after the other."""

_TOLD_ELSEWHERE = ("streams.", "streams:", "schemas.base_uris")


async def diagnose(
    settings: Settings, *, patience: float = PATIENCE, step: float = STEP
) -> list[Finding]:
    """Return everything that was found, area by area."""
    return await _Examination(settings, patience, step).run()


@dataclass(slots=True)
class _Examination:
    """Remembers what several parts need: the streams, and the visits to servers."""

    settings: Settings
    patience: float
    step: float
    _streams: asyncio.Task[Configured] = field(init=False)
    _visits: asyncio.Task[dict[str, Visit]] = field(init=False)

    async def run(self) -> list[Finding]:
        self._streams = asyncio.create_task(self._read_streams())
        self._visits = asyncio.create_task(visit_all(remote_uris(self.settings), self.step))
        areas: list[tuple[Area, AsyncIterator[Finding]]] = [
            ("settings", self._of_settings()),
            ("streams", self._of_streams()),
            ("schemas", self._of_schemas()),
            *self._of_sink(),
            ("auth", self._of_tokens()),
            ("clock", self._of_clock()),
            ("limits", _each(examine_limits)),
        ]
        try:
            found = await asyncio.gather(*(self._bounded(*each) for each in areas))
        finally:
            await _ended(self._streams, self._visits)
        return [finding for some in found for finding in some]

    async def _bounded(self, area: Area, work: AsyncIterator[Finding]) -> list[Finding]:
        """Let one part neither hold up nor break the others."""
        found: list[Finding] = []
        try:
            async with asyncio.timeout(self.patience):
                async for finding in work:
                    found.append(finding)  # noqa: PERF401 (what was found in time is kept)
        except TimeoutError:
            text = f"Not all could be looked at within {self.patience:g} s."
            advice = "Something that it needs does not answer: DNS, a disk, or a server."
            found.append(problem(area, text, advice))
        except Exception as error:
            logger.exception("A part of the examination failed; this is a defect.")
            text = f"Not all could be looked at: {type(error).__name__}: {error}."
            advice = "That is a defect of Sluiceway. Please report it."
            found.append(problem(area, text, advice))
        return found

    async def _of_settings(self) -> AsyncIterator[Finding]:
        # What is to be precached is looked at with the schemas.
        schemas = self.settings.schemas.model_copy(
            update={
                "precache_uris": [],
                "fetch_timeout": min(self.settings.schemas.fetch_timeout, 1.5 * self.step),
            }
        )
        streams = self.settings.streams.model_copy(
            update={"timeout": min(self.settings.streams.timeout, self.step)}
        )
        jwt = self.settings.auth.jwt  # its keys are looked at by themselves
        auth = self.settings.auth.model_copy(update={"jwt": jwt.model_copy(update={"jwks": None})})
        problems, lacks = await check(
            self.settings.model_copy(update={"schemas": schemas, "streams": streams, "auth": auth})
        )
        if self.settings.demo:
            yield warning(
                "settings",
                "No schemas and streams are configured: the demo is in force.",
                "Set schemas.base_uris and streams.uri, or leave it so for a trial.",
            )
        if self.settings.http.believes_both:
            first, _, advice = BOTH_ARE_BELIEVED.partition(". ")
            yield warning("settings", f"{first}.", advice)
        own = [each for each in problems if not each.startswith(_TOLD_ELSEWHERE)]
        for each in own:
            yield problem("settings", each, "Mend this; the service does not start like this.")
        if not own:
            yield ok("settings", "The settings are fit for a start.")
        if NOBODY_IS_KNOWN in lacks and jwt.jwks is None:
            advice = "Name producers there, or leave `producers` out of the streams."
            yield problem("auth", NOBODY_IS_KNOWN, advice)

    async def _read_streams(self) -> Configured:
        configured = self.settings.streams
        patience = min(configured.timeout, 2 * self.step)
        try:
            source = stream_source(self.settings, patience)
        except ConfigError as error:
            return Configured([problem("streams", str(error), "Correct these settings.")])
        return await examine_streams(
            source,
            topic_prefix=self.settings.topic_prefix,
            extra=own_streams(self.settings),
            patience=patience + self.step,  # the source itself says best what it waited for
        )

    async def _known_streams(self) -> Configured:
        # Whose time is over must not end it for the others.
        return await asyncio.shield(self._streams)

    async def _visited(self) -> dict[str, Visit]:
        return await asyncio.shield(self._visits)

    async def _of_streams(self) -> AsyncIterator[Finding]:
        for finding in (await self._known_streams()).findings:
            yield finding

    async def _of_schemas(self) -> AsyncIterator[Finding]:
        repositories_found = await examine_repositories(
            repositories(self.settings), await self._visited()
        )
        for finding in repositories_found:
            yield finding
        if any(each.level != "problem" for each in repositories_found):
            timeout = min(self.settings.schemas.fetch_timeout, self.step)
            for finding in await self._of_store(schema_store(self.settings, timeout)):
                yield finding

    async def _of_store(self, store: SchemaStore) -> list[Finding]:
        titles = (await self._known_streams()).titles
        try:
            await store.start()
        except ConfigError:
            return []  # what is wrong with a repository was said of it
        try:
            return await examine_schemas(
                store,
                precached=self.settings.schemas.precache_uris,
                titles=titles,
                patience=2 * self.step,
            )
        finally:
            await store.stop()

    def _of_sink(self) -> Sequence[tuple[Area, AsyncIterator[Finding]]]:
        match self.settings.sink:
            case KafkaSinkSettings() as sink:
                return [("kafka", self._of_kafka(sink)), ("spool", self._of_spool())]
            case SqliteSinkSettings() | JsonlSinkSettings() as sink:
                return [("sink", _each(partial(examine_log_file, sink.path)))]
            case MemorySinkSettings():
                return [("sink", _each(_of_memory))]

    async def _of_kafka(self, sink: KafkaSinkSettings) -> AsyncIterator[Finding]:
        try:
            usage = await asyncio.to_thread(kafka_usage, self.settings, sink)
        except (ConfigError, ValueError):
            yield warning(
                "kafka",
                "No broker was looked at: the settings for it are not fit.",
                "Mend what is said of the settings first.",
            )
            return
        async for finding in examine_kafka(usage, asyncio.shield(self._streams), self.step):
            yield finding

    async def _of_spool(self) -> AsyncIterator[Finding]:
        folder = self.settings.spool.folder
        if folder is None:
            yield ok("spool", "There is none: while Kafka is away, events are answered 503.")
            return
        spooling = spooling_of(self.settings, folder)
        async for finding in _each(partial(examine_spool, spooling)):
            yield finding

    async def _of_tokens(self) -> AsyncIterator[Finding]:
        settings = self.settings.auth.jwt
        if settings.jwks is not None:
            # Its libraries are loaded only where tokens are taken.
            from app.diagnosis.tokens import examine_tokens  # noqa: PLC0415 (see above)

            yield await examine_tokens(settings, settings.jwks, self.step)

    async def _of_clock(self) -> AsyncIterator[Finding]:
        for finding in examine_clock((await self._visited()).values()):
            yield finding


async def _each(look: Callable[[], Iterable[Finding]]) -> AsyncIterator[Finding]:
    """Look in a thread, since a disk may be slow."""
    for finding in await asyncio.to_thread(lambda: list(look())):
        yield finding


def _of_memory() -> list[Finding]:
    return [
        warning(
            "sink",
            "Events go to the memory of the process: they are gone when it ends.",
            "Let sink.type be sqlite, jsonl or kafka for more than a trial.",
        )
    ]


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
