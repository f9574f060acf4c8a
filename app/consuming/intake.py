"""The intake: takes batches of lines through the service until each line is stored or refused.

A line that the sink could not take is never skipped: it is tried again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.consuming.batch import Batch
from app.consuming.lines import MAX_LINE, Line
from app.consuming.tally import Tally
from app.core.errors import MalformedEvent
from app.core.events import Context, Decoder, Outcome, RawEvent
from app.service import Service
from legacy.errors import LegacyError
from legacy.formats import LineFormat

logger = logging.getLogger(__name__)

SOURCE = "consume"
PORTION = 1_048_576
"""Bytes of lines that are written in one call, so that any sink has room for them."""
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each further try; the last one holds for all that follow."""
TELLINGS = 6
"""Tries for refused lines whose error events could not be stored, where nothing else is wrong."""


class Intake:
    """Takes batches through a service, one after the other, and counts."""

    def __init__(
        self,
        service: Service,
        form: LineFormat,
        tally: Tally,
        *,
        pauses: Sequence[float] = PAUSES,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = tally
        self._service = service
        self._form = form
        self._pauses = pauses
        self._on_progress = on_progress

    async def take(self, batch: Batch) -> None:
        """Process the lines in order until all are done, or the batch is left.

        Only a line that must be tried again can be overtaken, by lines of the same portion.
        """
        for portion in _portions(batch.lines):
            tries = _Tries()
            failed = await self._try(batch, portion, tries)
            while failed:
                if batch.left.is_set():
                    return
                pause = self._pauses[min(tries.all, len(self._pauses)) - 1]
                self.tally.retried += len(failed)
                with suppress(TimeoutError):
                    await asyncio.wait_for(batch.left.wait(), pause)
                    return
                failed = await self._try(batch, failed, tries)

    async def _try(self, batch: Batch, portion: Sequence[int], tries: "_Tries") -> list[int]:
        """Process lines; return the positions of those that must be tried again."""
        tries.all += 1
        context = Context(source=SOURCE, received_ms=time.time_ns() // 1_000_000)
        untold = self._untold
        outcomes = await self._service.process(
            [RawEvent(batch.lines[position]) for position in portion],
            context,
            self._decoder(context),
        )
        ended = list(zip(portion, outcomes, strict=True))
        failed = {position for position, outcome in ended if outcome.status == "error"}
        refused = {position for position, outcome in ended if outcome.status == "invalid"}
        if failed:
            _warn_of([outcome for position, outcome in ended if position in failed], tries.all)
        tries.of_telling = 0 if failed else tries.of_telling + 1
        if refused and self._untold > untold:
            about = {"lines": len(refused), "first": str(batch.lines[min(refused)])}
            if tries.of_telling < TELLINGS:
                failed |= refused
                logger.warning(
                    "Refused lines could not be told of on the error stream; they are tried again.",
                    extra=about,
                )
            else:
                logger.error(
                    "Refused lines are passed over that could not be told of on the error stream: "
                    "look whether its topic exists and may be written.",
                    extra=about,
                )
        for position, outcome in ended:
            if position not in failed:
                self._count(batch, position, outcome)
        self._on_progress()
        return sorted(failed)

    def _count(self, batch: Batch, position: int, outcome: Outcome) -> None:
        batch.done[position] = True
        line = batch.lines[position]
        self.tally.size += line.size + 1  # its end
        if outcome.error is None:
            self.tally.accepted += 1
        else:
            self.tally.invalid += 1
            logger.debug(
                "A line was refused.",
                extra={"line": str(line), "reason": outcome.reason, "error": str(outcome.error)},
            )

    @property
    def _untold(self) -> float:
        """How many error events could not be stored."""
        registry = self._service.metrics.registry
        return registry.get_sample_value("sluiceway_error_events_total", {"status": "failed"}) or 0

    def _decoder(self, context: Context) -> Decoder:
        read = self._service.log_line_decoder(context, self._form)

        def decode(line: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
            if line.text is None:
                raise MalformedEvent(f"The line has more than {MAX_LINE:,} bytes.", told="")
            try:
                body, offers = read(line.text)
            except LegacyError as error:
                # A line may hold addresses: what cannot be told apart of it is not told.
                error.told = "" if error.told is None else error.told
                raise
            if "meta.id" not in offers:
                # Whoever takes a line twice must make the same event of it.
                offers = {**offers, "meta.id": line.event_id}
            return body, offers

        return decode


@dataclass(slots=True)
class _Tries:
    """How often a portion was tried; `of_telling` only since nothing but telling failed."""

    all: int = 0
    of_telling: int = 0


def _portions(lines: Sequence[Line]) -> Iterator[Sequence[int]]:
    """Cut positions into runs of lines that are not too large together."""
    begin = size = 0
    for position, line in enumerate(lines):
        size += line.size
        if size > PORTION and position > begin:
            yield range(begin, position)
            begin, size = position, line.size
    if begin < len(lines):
        yield range(begin, len(lines))


def _warn_of(failed: Sequence[Outcome], tries: int) -> None:
    first = failed[0]
    reasons = Counter(outcome.reason for outcome in failed)
    logger.warning(
        "Lines could not be taken now; they are tried again, and nothing is passed over.",
        extra={
            "lines": len(failed),
            "first": str(first.raw.payload),
            "reasons": ", ".join(sorted(reasons)),
            "error": str(first.error),
            "hint": first.error.hint if first.error else None,
            "tries": tries,
        },
    )
