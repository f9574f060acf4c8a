"""Whether the service could use a materialized schema, asked of the service's own code."""

import asyncio
from collections.abc import Iterator

from app.core.errors import MalformedEvent, SchemaNotFound, SchemaUnavailable, SchemaViolation
from app.schemas.closure import BrokenSchema, Closure, closure_of
from app.schemas.drafts import draft_of
from app.schemas.keywords import Path as Steps
from app.schemas.repository import Document, Found
from app.schemas.secure import check_secure
from app.schemas.validator import Schema

Problem = tuple[Steps, str]
"""Where in a schema, and what."""


def closure_at(uri: str, document: Document) -> Closure:
    """Return the closure of a schema that refers to no other; raises BrokenSchema."""
    draft = draft_of(document)
    if draft is None:
        raise BrokenSchema(f"its $schema {document.get('$schema')!r} is no draft that is known")

    async def nothing(uri: str) -> Found:
        raise BrokenSchema(f"it still refers to {uri}")

    try:
        return asyncio.run(closure_of(uri, document, draft, nothing))
    except (SchemaNotFound, SchemaUnavailable) as error:
        raise BrokenSchema(str(error)) from error


def insecurity(uri: str, document: Document) -> str | None:
    """Return what could make validation slow, None if nothing does; raises BrokenSchema."""
    closure = closure_at(uri, document)
    try:
        check_secure(closure)
    except BrokenSchema as error:
        return str(error)
    return None


def compiled(uri: str, document: Document) -> Schema:
    """Compile a schema as the service does; raises BrokenSchema."""
    return Schema(closure_at(uri, document))


def refused_examples(schema: Schema) -> Iterator[Problem]:
    """Yield the examples that a schema refuses."""
    examples = schema.document.get("examples")
    for index, example in enumerate(examples if isinstance(examples, list) else []):
        if not isinstance(example, dict):
            yield ("examples", index), "the example is no object, so it is no event"
            continue
        try:
            schema.validate(schema.with_defaults(example))
        except (SchemaViolation, MalformedEvent) as error:
            yield ("examples", index), f"the schema refuses its own example: {error}"


def problem_of(uri: str, document: Document) -> str | None:
    """Return why a schema must not be released, None if it may be."""
    try:
        insecure = insecurity(uri, document)
        if insecure:
            return insecure
        for _, problem in refused_examples(compiled(uri, document)):
            return problem
    except BrokenSchema as error:
        return f"the service could not use it: {error}"
    return None
