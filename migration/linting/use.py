"""Rules that the service itself holds schemas to: valid, quick, true of their own examples."""

import re
from collections.abc import Iterator
from dataclasses import replace

from app.schemas.closure import BrokenSchema
from app.schemas.drafts import DEFAULT, draft_of
from app.schemas.keywords import Path as Steps
from app.schemas.keywords import path_of, walk
from app.schemas.secure import check_secure
from migration.linting.finding import Problem
from migration.linting.subject import Subject
from migration.materializeuse import closure_at, compiled, refused_examples

_AT = re.compile(r"at #(/[^ ]*): ")
_ADVICE = ". Bound these places"


def dialect(subject: Subject) -> Iterator[Problem]:
    """The schema says that it is of draft-07."""
    name = subject.document.get("$schema")
    if name is None:
        yield (), "it has no $schema; write https://json-schema.org/draft-07/schema#"
    elif draft_of(subject.document) is not DEFAULT:
        yield ("$schema",), f"it is of {name}; the schemas of a repository are of draft-07"


def valid(subject: Subject) -> Iterator[Problem]:
    """The service can compile it."""
    try:
        compiled(subject.uri, subject.document)
    except BrokenSchema as error:
        yield _place(subject, str(error)), f"the service could not use it: {error}"


def dereferenced(subject: Subject) -> Iterator[Problem]:
    """A release is whole: it refers to nothing."""
    if subject.is_current:
        return
    for steps, schema in walk(subject.document):
        if isinstance(schema.get("$ref"), str):
            yield (*steps, "$ref"), f"a release refers to {schema['$ref']}; it should be whole"


def secure(subject: Subject) -> Iterator[Problem]:
    """What costs time in the length of a value says how long that may be."""
    try:
        closure = closure_at(subject.uri, subject.document)
    except BrokenSchema:
        return  # another rule says so
    for place, schema in closure.schemas.items():
        try:
            check_secure(replace(closure, schemas={place: schema}))
        except BrokenSchema as error:
            yield place[1], str(error).partition(_ADVICE)[0]


def examples_valid(subject: Subject) -> Iterator[Problem]:
    """Its examples follow it."""
    try:
        schema = compiled(subject.uri, subject.document)
    except BrokenSchema:
        return  # another rule says so
    yield from refused_examples(schema)


def examples_schema(subject: Subject) -> Iterator[Problem]:
    """Its examples say that they follow it."""
    document = subject.document
    properties = document.get("properties")
    if not isinstance(properties, dict) or "$schema" not in properties:
        return
    examples = document.get("examples")
    for index, example in enumerate(examples if isinstance(examples, list) else []):
        if not isinstance(example, dict) or example.get("$schema") == document.get("$id"):
            continue
        said = example.get("$schema", "nothing")
        yield (
            ("examples", index, "$schema") if "$schema" in example else ("examples", index),
            f"the example's $schema says {said}, not {document.get('$id')}",
        )


def _place(subject: Subject, message: str) -> Steps:
    match = _AT.search(message)
    return (path_of(subject.document, match[1]) or ()) if match else ()
