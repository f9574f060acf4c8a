"""The stream configuration: whether it can be had, and whether every entry of it is fit."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.errors import ConfigError
from app.diagnosis.findings import MAX_LISTED, Finding, counted, ok, problem, warning
from app.diagnosis.topics import Wanted
from app.streams.configs import StreamConfigs
from app.streams.source import SourceError, StreamSource

_MEND = "Mend what streams.uri names; `sluiceway doctor` shows what is left to do."


@dataclass(frozen=True, slots=True)
class Configured:
    """What was found, and the table of streams; None if there is none.

    `extra` are streams whose schema is a matter of the settings.
    """

    findings: list[Finding]
    table: StreamConfigs | None = None
    extra: Collection[str] = ()

    @property
    def wanted(self) -> list[Wanted] | None:
        """The topics of streams that are configured by name; None if the streams are unknown."""
        if self.table is None:
            return None
        streams = [self.table.get(name) for name in self.table.names]
        return [Wanted(s.topic, s.name, keyed=bool(s.message_key_fields)) for s in streams]

    @property
    def titles(self) -> dict[str, list[str]]:
        """The streams by the title of their schema, in order; of regexes too, but not `extra`."""
        found: dict[str, list[str]] = {}
        for name, settings in (self.table.settings_of() if self.table else {}).items():
            if name not in self.extra:
                found.setdefault(settings["schema_title"], []).append(name)
        return found


async def examine_streams(
    source: StreamSource,
    *,
    topic_prefix: str,
    extra: Mapping[str, Mapping[str, Any]],
    patience: float,
) -> Configured:
    """Read the configuration once, as the service would; `extra` are streams that always exist."""
    try:
        async with asyncio.timeout(patience):
            value = await source.fetch_once()
        table = StreamConfigs.parse(value, topic_prefix=topic_prefix, extra=extra, strict=False)
    except (SourceError, ConfigError, TimeoutError) as error:
        return Configured([_unusable(source, error)])
    return Configured(_of_table(source, table), table, extra)


def _unusable(source: StreamSource, error: Exception) -> Finding:
    problems = error.problems if isinstance(error, ConfigError) else [str(error) or "no answer"]
    text = f"{source.name}: {_some(problems)}."
    if source.remote:
        return problem(
            "streams",
            text,
            "See that it answers this machine. Until it does, a service that starts answers 503.",
        )
    return problem("streams", text, f"{_MEND} The service does not start like this.")


def _of_table(source: StreamSource, table: StreamConfigs) -> list[Finding]:
    regexes = len(table) - len(table.names)
    more = f", and {counted(regexes, 'regular expression')} for others" if regexes else ""
    loaded = ok("streams", f"{source.name}: {counted(len(table.names), 'stream')}{more}.")
    if not table.problems:
        return [loaded]
    text = f"{counted(len(table.problems), 'entry')} cannot be used: {_some(table.problems)}."
    if source.remote:
        return [loaded, warning("streams", text, f"{_MEND} The other streams work meanwhile.")]
    return [loaded, problem("streams", text, f"{_MEND} The service does not start like this.")]


def _some(problems: Sequence[str]) -> str:
    left = len(problems) - MAX_LISTED
    shown = "; ".join(problem.rstrip(".") for problem in problems[:MAX_LISTED])
    return f"{shown}; and {left:,} more" if left > 0 else shown
