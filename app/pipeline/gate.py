"""The gate: every raw event of a request goes in, exactly one outcome for each comes out."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from msgspec.structs import replace

from app.core.current import CURRENT
from app.core.deadlines import Deadlines
from app.core.errors import (
    EventError,
    InternalFailure,
    SchemaViolation,
    StreamReserved,
    UnknownDelivery,
)
from app.core.events import Context, Decoder, Delivery, Event, Outcome, RawEvent, Record
from app.core.tracebacks import let_go
from app.pipeline.decoders import decoded
from app.pipeline.discretion import discreet
from app.pipeline.enrich import Enrichment
from app.pipeline.errorevents import ErrorEvents
from app.pipeline.records import record_of
from app.pipeline.respite import Respite
from app.pipeline.search import Schemas, Search
from app.pipeline.shortcut import Shortcut
from app.sinks.base import Sink
from app.streams.configs import Stream

logger = logging.getLogger(__name__)

Observer = Callable[[Sequence[Outcome], Context], None]
"""Told the outcomes of each request after they are known; must not raise."""

BUSY = 0.005
"""Seconds for which the events of one request may keep other requests waiting."""


class Streams(Protocol):
    """The streams in force."""

    def get(self, name: str) -> Stream:
        """Return the stream; raises UnknownStream or StreamsUnavailable."""
        ...


class Pipeline:
    """Takes raw events of any wire to the sink, and says what became of each.

    `error_events` None: refused events are not told about on a stream. `produce_timeout` and
    `schema_timeout` are in seconds, for all events of a request; `max_event_size` is in bytes.
    """

    def __init__(
        self,
        *,
        streams: Streams,
        schemas: Schemas,
        sink: Sink,
        hasty_sink: Sink | None = None,
        enrich: Enrichment,
        error_events: ErrorEvents | None = None,
        max_event_size: int = 1_048_576,
        produce_timeout: float = 8.0,
        schema_timeout: float = 8.0,
        observers: Sequence[Observer] = (),
        error_event_observer: Callable[[str, int], None] = lambda _status, _count: None,
        produce_observer: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.streams = streams
        self.schemas = schemas
        self.sink = sink
        self.hasty_sink = hasty_sink or sink
        self.enrich = enrich
        self.error_events = error_events
        self._own_stream = error_events.stream if error_events else None
        self.observers = observers
        self._max_event_size = max_event_size
        self._deadlines = Deadlines(produce_timeout)
        self._schema_timeout = schema_timeout
        self._observe_error_events = error_event_observer
        self._respite = Respite()
        self._observe_produce = produce_observer

    async def process(
        self, raws: Sequence[RawEvent], decode: Decoder, context: Context
    ) -> list[Outcome]:
        """Return one outcome for each raw event, in order. Raises nothing.

        Events are admitted in order and written in one call, with the error events of those that
        were refused. What becomes of error events never changes an event's own outcome.
        """
        outcomes: list[Outcome | None] = []
        admitted: list[tuple[int, Event]] = []
        records: list[Record] = []
        search = Search(self.schemas, self._schema_timeout)
        shortcut: Shortcut | None = None
        busy_since = time.perf_counter()
        for position, raw in enumerate(raws):
            if time.perf_counter() - busy_since > BUSY:
                await asyncio.sleep(0)
                busy_since = time.perf_counter()
            event = None
            try:
                event = decoded(raw, decode)
                record = shortcut.record_of(event) if shortcut else None
                if record is None:
                    record = await self._admit(event, context, search)
                    # Nothing is awaited between this and what `enrich` remembers.
                    shortcut = self._shortcut_after(event) if len(raws) > 1 else None
                records.append(record)
            except SchemaViolation as error:
                assert event is not None
                outcomes.append(self._turned_away(raw, event, discreet(error, event.body)))
            except EventError as error:
                outcomes.append(self._turned_away(raw, event, error))
            except Exception:
                logger.exception("An event could not be processed; this is a defect.")
                defect = InternalFailure("Sluiceway failed on this event; its log says how.")
                outcomes.append(self._turned_away(raw, event, defect))
            else:
                outcomes.append(None)
                admitted.append((position, event))

        refused = [o for o in outcomes if o is not None and o.error is not None and o.error.is_told]
        about = await self._records_about(refused, context) if refused else []
        if records or about:
            started = time.perf_counter()
            answers = await self._produce([*records, *about], context)
            turned_away = []
            for (position, event), record, answer in zip(admitted, records, answers, strict=False):
                if isinstance(answer, Delivery):
                    outcomes[position] = Outcome(event.raw, event, record.stream, answer, None)
                    continue
                outcome = Outcome(event.raw, event, record.stream, None, answer)
                outcomes[position] = outcome
                if answer.is_told:
                    turned_away.append(outcome)
            if about:
                self._count_error_events(answers[len(records) :], started)
            if turned_away:
                await self._tell_of(turned_away, context)

        finished = [outcome for outcome in outcomes if outcome is not None]
        for observer in self.observers:
            observer(finished, context)
        return finished

    async def _admit(self, event: Event, context: Context, search: Search) -> Record:
        """Admit one event; every line is one thing that can turn it away."""
        stream = self.streams.get(event.stream)  # MissingField, UnknownStream, …Unavailable
        self._check_may_write(stream, context)  # StreamReserved, Credentials…, ProducerNotAllowed
        uri = event.schema_uri  # MissingField
        schema = self.schemas.at_hand(uri) or await search.get(uri)  # SchemaNotFound, …
        stream.check_allows(schema.title)  # SchemaNotAllowed
        body = self.enrich(event, schema, stream, context)
        if stream.producers:
            stream.producers.check_values(context.subject, body)  # ValueNotAllowed
        schema.validate(body)  # SchemaViolation
        return record_of(body, schema, stream, context, self._max_event_size)  # EventTooLarge

    def _shortcut_after(self, event: Event) -> Shortcut | None:
        """Return the short way for events like the one that was just admitted, if there is one."""
        share = self.enrich.last
        return Shortcut(share, event, self._max_event_size) if share and share.is_plain else None

    def _check_may_write(self, stream: Stream, context: Context) -> None:
        if stream.name == self._own_stream and not context.internal:
            raise StreamReserved(
                f"Stream {stream.name} is written by Sluiceway itself; nobody else may.",
                pointer="/meta/stream",
                expected="another stream",
                got=stream.name,
                hint="Set meta.stream to the stream that your events belong to.",
            )
        if stream.producers and not context.internal:
            stream.producers.check(context.subject, stream.name)

    def _turned_away(self, raw: RawEvent, event: Event | None, error: EventError) -> Outcome:
        stream = None
        if event is not None:
            with suppress(EventError):  # then it is an outcome of no stream
                stream = self.streams.get(event.stream).name
        let_go(error)
        return Outcome(raw, event, stream, None, error)

    async def _records_about(self, refused: Sequence[Outcome], context: Context) -> list[Record]:
        if self.error_events is None:
            return []
        if not self._respite.is_over():
            self._observe_error_events("failed", len(refused))
            return []
        internal = replace(context, internal=True)
        records = []
        search = Search(self.schemas, self._schema_timeout)
        busy_since = time.perf_counter()
        for outcome in refused:
            if time.perf_counter() - busy_since > BUSY:
                await asyncio.sleep(0)
                busy_since = time.perf_counter()
            try:
                event = self.error_events.of(outcome, context)
                records.append(await self._admit(event, internal, search))
            except EventError as error:
                # What the error says may repeat the event that it tells of.
                facts = {"reason": error.reason, "pointer": error.pointer}
                logger.warning("An error event was itself refused.", extra=facts)
                self._observe_error_events("refused", 1)
            except Exception:
                logger.exception("An error event could not be made; this is a defect.")
                self._observe_error_events("refused", 1)
        return records

    async def _tell_of(self, turned_away: Sequence[Outcome], context: Context) -> None:
        """Make and write error events for what the sink itself refused for good."""
        about = await self._records_about(turned_away, context)
        if about:
            started = time.perf_counter()
            self._count_error_events(await self._produce(about, context), started)

    async def _produce(
        self, records: Sequence[Record], context: Context
    ) -> Sequence[Delivery | EventError]:
        sink = self.hasty_sink if context.hasty else self.sink
        current = CURRENT.get()
        if current is not None:
            current.is_handed_over = True
        started = time.perf_counter()
        try:
            # Not `wait`, which spares what is done without waiting: real sinks always wait.
            with self._deadlines.limit():
                answers = await sink.produce(records)
        except TimeoutError:
            answers = []
            problem = f"The sink did not answer within {self._deadlines.seconds:g} s"
        except Exception:
            logger.exception("The sink raised, which it must not; this is a defect.")
            answers = []
            problem = "The sink failed"
        else:
            problem = "The sink did not answer for every event"
        self._observe_produce(time.perf_counter() - started)
        if len(answers) == len(records):
            return answers
        unknown = UnknownDelivery(
            f"{problem}: this event may or may not be stored.",
            hint="Sending it again is safe where consumers drop repeated meta.id.",
        )
        return [unknown] * len(records)

    def _count_error_events(self, answers: Sequence[Delivery | EventError], started: float) -> None:
        failed = sum(isinstance(answer, EventError) for answer in answers)
        self._respite.note(failed=failed > 0, seconds=time.perf_counter() - started)
        if failed:
            logger.warning("Error events could not be stored.", extra={"count": failed})
            self._observe_error_events("failed", failed)
        if failed < len(answers):
            self._observe_error_events("produced", len(answers) - failed)
