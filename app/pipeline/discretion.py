"""Discretion: what the server set in an event is not shown to those who sent or read about it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.core.errors import SchemaViolation, Violation
from app.core.json import has_pointer


def discreet(error: SchemaViolation, sent: Mapping[str, Any]) -> SchemaViolation:
    """Return a violation that shows no value which `sent`, the event as it came, does not have.

    A schema may refuse a client address or a user agent that the server filled in; answers and
    error events tell of that without repeating it.
    """
    return SchemaViolation(error.schema_uri, [_discreet(v, sent) for v in error.violations])


def _discreet(violation: Violation, sent: Mapping[str, Any]) -> Violation:
    if has_pointer(sent, violation.pointer):
        return violation
    return replace(
        violation,
        got="a value that the service set",
        hint="The schema does not allow what the service sets here; the schema has to be mended.",
    )
