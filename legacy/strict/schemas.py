"""The schemas that old events name, and the judgement of events by them: draft 3, in a capsule."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft3Validator, Draft4Validator, Draft6Validator, Draft7Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from legacy.strict.capsuleschema import encapsulated
from legacy.strict.errors import CapsuleInvalid, NotProcessed
from legacy.strict.reference import Reference

Schemas = Mapping[tuple[str, int], Any]
"""(name, revision) -> the schema of the event alone."""

# The meta-schemas, which a `$ref` always found. Nothing else is fetched.
_REGISTRY: Registry[Any] = Registry().with_resources(
    (resource.id() or "", resource)
    for resource in (
        Resource.from_contents(draft.META_SCHEMA)
        for draft in (Draft3Validator, Draft4Validator, Draft6Validator, Draft7Validator)
    )
)
_STEM = re.compile(r"(?P<name>[./a-zA-Z0-9_-]{1,63})-(?P<revision>[0-9]{1,18})")


def reference_in_name(stem: str) -> tuple[str, int] | None:
    """Return what a file called `Name-revision` holds, None if it is called otherwise.

    Revisions count from 1; 0 says that nobody knows which it was, and stands for 1.
    """
    found = _STEM.fullmatch(stem)
    return (found["name"], max(1, int(found["revision"]))) if found else None


class OldSchemas:
    """Judges events by schemas that are all at hand; remembers a validator for each in use."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._validators: dict[Reference, Draft3Validator] = {}

    def check(self, event: Any, reference: Reference) -> None:
        """Raise CapsuleInvalid if the event breaks the schema, NotProcessed if that is not there.

        A schema that is none raises whatever the validator does.
        """
        for violation in self.violations(event, reference):
            raise CapsuleInvalid(violation.message)

    def violations(self, event: Any, reference: Reference) -> Iterator[ValidationError]:
        """Return everything that is wrong with an event, in no particular order."""
        validator = self._validators.get(reference)
        if validator is None:
            validator = self._validators[reference] = self._validator(reference)
        return validator.iter_errors(event)

    def _validator(self, reference: Reference) -> Draft3Validator:
        schema = self._schemas.get(reference)
        # The old cache took an empty schema for none, and asked the wiki again.
        if not schema:
            raise NotProcessed(f"Schema {reference.name} has no revision {reference.revision} here")
        # No format checker: formats were never verified.
        return Draft3Validator(encapsulated(schema), registry=_REGISTRY)
