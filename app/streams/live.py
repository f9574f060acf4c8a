"""The stream configuration in force: read at start, refreshed in the background, last good kept."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from app.core.errors import ConfigError, StreamsUnavailable
from app.streams.configs import NO_FIELDS, NO_STREAMS, Stream, StreamConfigs
from app.streams.source import SourceError

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0
MAX_PROBLEMS = 20


class Source(Protocol):
    """Where a configuration is read from; `name` is for people, `remote` means: not a file."""

    name: str
    remote: bool

    async def fetch(self) -> Any:
        """Return the configuration's value, trying again a few times; raises SourceError."""
        ...

    async def fetch_once(self) -> Any:
        """Return the configuration's value or raise SourceError, without trying again."""
        ...


class LiveStreams:
    """The streams that exist now; remembers the last configuration that was good.

    `ttl` and `age_seconds` are in seconds, `ttl` 0 means for ever. `max_shrink` is the share of
    the streams that one refresh may lose. `last_error` says why the last reading failed.
    """

    def __init__(
        self,
        *,
        source: Source,
        topic_prefix: str = "",
        header_fields: Mapping[str, str | None] = NO_FIELDS,
        ttl: float = 0,
        max_shrink: float = 0.5,
        extra: Mapping[str, Mapping[str, Any]] = NO_STREAMS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.current: StreamConfigs | None = None
        self.last_error: str | None = None
        self._source = source
        self._topic_prefix = topic_prefix
        self._header_fields = header_fields
        self._ttl = ttl
        self._max_shrink = max_shrink
        self._extra = extra
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._value: Any = None
        self._read_at = 0.0
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the configuration, once; raises ConfigError if it is a file that cannot be used.

        A remote one that cannot be had now is asked for in the background until it can.
        """
        try:
            self._take(await self._source.fetch_once())
        except (SourceError, ConfigError) as error:
            if not self._source.remote:
                raise ConfigError(*self._told(error)) from error
            self._failed(error)
        if self._ttl or not self.ready:
            self._task = asyncio.create_task(self._keep_fresh(), name="stream configuration")

    async def stop(self) -> None:
        """End the refreshing; what is in force stays."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def get(self, name: str) -> Stream:
        """Return the stream of that name; raises UnknownStream or StreamsUnavailable."""
        if self.current is None:
            raise StreamsUnavailable(
                "The stream configuration could not be loaded yet.",
                hint="Send the event again later.",
            )
        return self.current.get(name)

    def settings_of(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Return what is configured for streams, for all if none are named; {} before any is."""
        return self.current.settings_of(names) if self.current else {}

    @property
    def ready(self) -> bool:
        """Whether there is a configuration."""
        return self.current is not None

    @property
    def age_seconds(self) -> float | None:
        """The time since the configuration was last read well; None if it never was."""
        return self._clock() - self._read_at if self.ready else None

    async def refresh(self) -> None:
        """Read the configuration anew; whatever goes wrong is logged and the last good one kept."""
        try:
            self._take(await self._source.fetch())
        except (SourceError, ConfigError) as error:
            self._failed(error)
        except Exception as error:
            logger.exception("The stream configuration could not be read; this is a defect.")
            self._failed(error)

    async def _keep_fresh(self) -> None:
        while self._ttl or not self.ready:
            await self._sleep(self._pause())
            await self.refresh()

    def _pause(self) -> float:
        # Processes that started together should not ask together: hence the jitter.
        spread = 0.8 + 0.2 * self._jitter()
        if not self._failures:
            return self._ttl * spread
        sooner = float(2 ** min(self._failures - 1, 10))
        return min(sooner, self._ttl or LONGEST_PAUSE, LONGEST_PAUSE) * spread

    def _take(self, value: Any) -> None:
        """Put a configuration into force, unless it is the same; raises ConfigError if unfit."""
        if self.current is None or value != self._value:
            table = StreamConfigs.parse(
                value,
                topic_prefix=self._topic_prefix,
                header_fields=self._header_fields,
                extra=self._extra,
                strict=not self._source.remote,
            )
            self._check_shrink(table)
            self._swap(table, value)
        if self._failures:
            logger.info("The stream configuration can be read again.")
        self._read_at = self._clock()
        self._failures = 0
        self.last_error = None

    def _check_shrink(self, table: StreamConfigs) -> None:
        if self.current is None:
            return
        had = self.current.settings_of().keys() - self._extra.keys()
        lost = had - table.settings_of().keys()
        if len(lost) > self._max_shrink * len(had):
            raise ConfigError(
                f"{len(lost)} of {len(had)} streams are gone, more than streams.max_shrink "
                f"({self._max_shrink:g}) lets go at once; the former ones stay in force. If this "
                "is meant, restart the service"
            )

    def _swap(self, table: StreamConfigs, value: Any) -> None:
        self.current = table
        self._value = value
        logger.info(
            "A stream configuration is in force.",
            extra={"source": self._source.name, "streams": len(table)},
        )
        if table.problems:
            logger.warning(
                "Streams were left out of the configuration.",
                extra={
                    "source": self._source.name,
                    "count": len(table.problems),
                    "problems": list(table.problems[:MAX_PROBLEMS]),
                },
            )

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        problems = self._told(error)
        self.last_error = "; ".join(problems[:MAX_PROBLEMS])
        logger.warning(
            "The stream configuration could not be read; the last good one stays in force."
            if self.ready
            else "The stream configuration could not be read; events get 503 until it can.",
            extra={"source": self._source.name, "problem": self.last_error},
        )

    def _told(self, error: Exception) -> list[str]:
        found = error.problems if isinstance(error, ConfigError) else (str(error),)
        return [f"streams.uri {self._source.name}: {problem}" for problem in found]
