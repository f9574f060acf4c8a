"""The old system's judgement: what it published for a line, the event itself or an EventError."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from legacy.strict.errors import CapsuleInvalid
from legacy.strict.eventerror import Code, event_error
from legacy.strict.parser import StrictParser
from legacy.strict.reference import check_reference, reference_of
from legacy.strict.schemas import OldSchemas
from legacy.strict.uuids import capsule_uuid

TOPIC = "eventlogging_{schema}"
DROPPED = ("clientValidated", "isTruncated")
"""Fields that left the capsule in 2015, and were still sent."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one line: published to `topic`, or told about with `error_event`.

    `parsed` is None if the line could not be read, `error_event` if nothing could be said of it:
    the old system then wrote to its own log only.
    """

    code: Code | None
    parsed: dict[str, Any] | None
    capsule: dict[str, Any] | None
    topic: str | None
    error_event: dict[str, Any] | None

    @property
    def status(self) -> Literal["valid", "invalid", "error"]:
        if self.code is None:
            return "valid"
        return "invalid" if self.code == "validation" else "error"


def _now() -> datetime:
    return datetime.now(UTC)


class StrictLegacy:
    """Judges log lines of one format by the schemas at hand, as the last release did."""

    def __init__(
        self, parser: StrictParser, schemas: OldSchemas, *, clock: Callable[[], datetime] = _now
    ) -> None:
        self._parser = parser
        self._schemas = schemas
        self._clock = clock

    def judge(self, line: str) -> Judgement:
        """Return what the old system made of a line. Raises nothing."""
        now = self._clock()
        parsed = None
        event: dict[str, Any] | None = None
        try:
            parsed = self._parser.parse(line, now=now)
            event = {name: value for name, value in parsed.items() if name not in DROPPED}
            reference = check_reference(reference_of(event))
            self._schemas.check(event, reference)
            capsule = {**event, "uuid": capsule_uuid(event, now=now)}
        except CapsuleInvalid as error:
            return _turned_away("validation", line, error, parsed, event)
        except Exception as error:  # noqa: BLE001 (this is the old rule: all else is `processor`)
            return _turned_away("processor", line, error, parsed, event)
        return Judgement(None, parsed, capsule, TOPIC.format(schema=event["schema"]), None)


def _turned_away(
    code: Code,
    line: str,
    error: Exception,
    parsed: dict[str, Any] | None,
    event: dict[str, Any] | None,
) -> Judgement:
    message = str(error.args[0]) if error.args else ""
    try:
        raw = json.dumps(event, sort_keys=True) if code == "validation" else line
        error_event = event_error(raw, message, code, event)
    except (TypeError, ValueError, RecursionError):
        error_event = None
    return Judgement(code, parsed, None, None, error_event)
