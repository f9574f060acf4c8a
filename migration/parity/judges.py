"""Both judges: the old system as it was, and the service as it is, with a sink that forgets."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote_from_bytes

import orjson

from app.commands.decodestrict import load_schemas
from app.commands.oldlines import Kind, kind_of, query_in
from app.config import load_settings
from app.core.errors import ConfigError, EventError, IntakeFailure, InternalFailure
from app.core.events import Context, Delivery, Outcome, RawEvent, Record
from app.core.json import loads
from app.core.time import iso_of_ms, ms_of_iso
from app.service import open_service
from app.sinks.base import Health
from legacy.formats import FormatError, LineFormat
from legacy.logline import PRODUCTION
from legacy.strict.cases import LAST_FORMAT
from legacy.strict.errors import CapsuleInvalid
from legacy.strict.judge import DROPPED, Judgement, StrictLegacy
from legacy.strict.lines import StrictFormat
from legacy.strict.parser import StrictParser
from legacy.strict.reference import check_reference, reference_of
from legacy.strict.schemas import OldSchemas
from migration.parity.causes import OTHER, Cause, cut, new_causes, old_causes

CLOCK = "2020-01-01T00:00:00.000Z"
"""When everything is received whose record does not say when: reports must not differ by it."""
HOST = "replay"
SOURCE = "verify"


@dataclass(frozen=True, slots=True)
class Plan:
    """How traffic is judged: everything that a verdict depends on. It can be pickled."""

    config: str | None
    schemas: str
    kind: Kind | Literal["auto"] = "auto"
    format: str | None = None
    clock: str = CLOCK


@dataclass(frozen=True, slots=True)
class Judged:
    """What both made of one event. `name` is the old schema's, None if nobody could tell."""

    text: bytes
    old: Judgement
    old_causes: Sequence[Cause]
    outcome: Outcome
    new_causes: Sequence[Cause]
    stored: dict[str, Any] | None
    from_line: bool

    @property
    def name(self) -> str | None:
        parsed = self.old.parsed
        name = parsed.get("schema") if isinstance(parsed, dict) else None
        if not isinstance(name, str) and self.outcome.event is not None:
            name = self.outcome.event.body.get("schema")
        return name if isinstance(name, str) and name else None


class Judges:
    """Judges lines by both systems. Opens a service of its own; one event loop, one thread."""

    def __init__(self, plan: Plan) -> None:
        """Open; raises ConfigError."""
        try:
            self._form = LineFormat.parse(plan.format) if plan.format else PRODUCTION
            of_lines = StrictFormat.parse(plan.format or LAST_FORMAT)
            around = StrictFormat.parse(LAST_FORMAT)
        except FormatError as error:
            raise ConfigError(f"--format: {error}") from error
        clock = ms_of_iso(plan.clock)
        if clock is None:
            raise ConfigError(f"--clock: {plan.clock!r} is no time like {CLOCK}.")
        self._kind: Kind | None = None if plan.kind == "auto" else plan.kind
        if plan.format:
            self._kind = "line"
        self._received_ms = clock
        self._received_dt = iso_of_ms(clock)
        self.schemas = load_schemas(plan.schemas, lambda _problem: None)
        if not self.schemas:
            raise ConfigError(f"--old-schemas: {plan.schemas} has no schema Name-revision.json.")
        self._judging = OldSchemas(self.schemas)
        self._old_of_lines = self._strict(of_lines)
        self._old_of_queries = self._strict(around)
        self._sink = _LastSink()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        try:
            self._runner.run(self._open(plan))
        except BaseException:
            self._runner.close()
            raise

    def close(self) -> None:
        """Close the service."""
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def judge(self, lines: Sequence[bytes]) -> list[list[Judged]]:
        """Return what both made of each line: one event, or those of an array."""
        return self._runner.run(self._judge(lines))

    def _strict(self, form: StrictFormat) -> StrictLegacy:
        now = datetime.fromtimestamp(self._received_ms / 1000, UTC)
        return StrictLegacy(StrictParser(form), self._judging, clock=lambda: now)

    async def _open(self, plan: Plan) -> None:
        settings = load_settings(plan.config)
        quiet = settings.error_stream.model_copy(update={"name": None})
        unspooled = settings.spool.model_copy(update={"folder": None})
        settings = settings.model_copy(update={"error_stream": quiet, "spool": unspooled})
        self._service = await self._stack.enter_async_context(
            open_service(settings, sink=self._sink)
        )

    async def _judge(self, lines: Sequence[bytes]) -> list[list[Judged]]:
        pieces = [self._pieces(line) for line in lines]
        raws = [RawEvent(piece) for each in pieces for piece in each]
        context = Context(source=SOURCE, received_ms=self._received_ms)
        self._sink.values.clear()
        outcomes = iter(await self._service.process(raws, context, self._decode))
        values = iter(self._sink.values)
        judged = []
        for line, each in zip(lines, pieces, strict=True):
            judged.append([self._judged(line, piece, next(outcomes), values) for piece in each])
        return judged

    def _pieces(self, line: bytes) -> list[tuple[Kind, Any]]:
        kind = self._kind or kind_of(line)
        if kind == "query":
            return [(kind, query_in(line))]
        if kind == "line":
            return [(kind, line)]
        try:
            value = loads(line.strip())
        except ValueError as error:
            return [(kind, error)]
        items = value if isinstance(value, list) else [value]
        return [(kind, item) for item in items]

    def _decode(self, piece: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        kind, payload = piece
        legacy = self._service.legacy
        if isinstance(payload, Exception):
            raise payload
        if kind == "line":
            return legacy.log_line(payload, received_dt=self._received_dt, form=self._form)
        if kind == "query":
            return legacy.beacon(payload, received_dt=self._received_dt)
        return legacy.capsule(payload, received_dt=self._received_dt)

    def _judged(
        self, line: bytes, piece: tuple[Kind, Any], outcome: Outcome, values: Any
    ) -> Judged:
        old = self._of_old(line, piece)
        why_old = [] if old.code is None else self._why_old(old)
        stored = None
        why_new: Sequence[Cause] = []
        if outcome.error is None:
            stored = orjson.loads(next(values))
        else:
            assert isinstance(outcome.error, EventError)
            _check_judged(outcome.error)
            body = outcome.event.body if outcome.event else None
            why_new = new_causes(outcome.error, body, old.parsed)
        return Judged(line, old, why_old, outcome, why_new, stored, piece[0] == "line")

    def _of_old(self, line: bytes, piece: tuple[Kind, Any]) -> Judgement:
        kind, payload = piece
        if kind == "line":
            return self._old_of_lines.judge(line.decode(errors="replace"))
        if kind == "query":
            asked = payload.lstrip(b"?").decode(errors="replace")
        else:
            text = line.strip() if isinstance(payload, Exception) else orjson.dumps(payload)
            asked = quote_from_bytes(text)
        second = self._received_dt[:19]
        return self._old_of_queries.judge(f'?{asked}\t{HOST}\t0\t{second}\t-\t"-"')

    def _why_old(self, old: Judgement) -> list[Cause]:
        if old.code == "validation" and old.parsed is not None:
            event = {name: value for name, value in old.parsed.items() if name not in DROPPED}
            try:
                reference = check_reference(reference_of(event))
            except CapsuleInvalid as error:  # no revision, or -1: it was judged by no schema
                return [Cause("reference", "", OTHER, cut(str(error)))]
            return old_causes(self._judging.violations(event, reference))
        message = old.error_event["message"] if old.error_event else "nothing could be said of it"
        rule = "unreadable" if old.parsed is None else "processor"
        return [Cause(rule, "", OTHER, cut(str(message)))]


def _check_judged(error: EventError) -> None:
    """Raise ConfigError where the service itself could not judge: that is no verdict."""
    if isinstance(error, IntakeFailure) and not isinstance(error, InternalFailure):
        hint = f" {error.hint}" if error.hint else ""
        raise ConfigError(f"An event could not be judged ({error.reason}): {error}{hint}")


class _LastSink:
    """Takes everything, and keeps the values of the last call."""

    target = "verify"

    def __init__(self) -> None:
        self.values: list[bytes] = []

    async def start(self) -> None:
        """Nothing is to be opened."""

    async def stop(self, grace: float) -> None:
        """Nothing is to be closed."""

    async def produce(self, records: Sequence[Record]) -> Sequence[Delivery | EventError]:
        self.values += [record.value for record in records]
        return [Delivery("acked", record.topic, 0, 0) for record in records]

    async def healthy(self) -> Health:
        return Health(ok=True)
