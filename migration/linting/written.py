"""Rules about what people write: names that fit the place, keys once, references to releases."""

from collections.abc import Iterator
from typing import Any

from app.core.errors import SchemaNotFound
from app.schemas.keywords import Path as Steps
from app.schemas.uris import canonical_uri, is_version, name_of, parent_of
from migration.linting.finding import Problem
from migration.linting.subject import Subject


def title(subject: Subject) -> Iterator[Problem]:
    """The title is the folder."""
    folder = parent_of(subject.uri)[1:]
    own = subject.file.document.get("title")
    if own is None:
        yield (), f"it has no title; streams allow schemas by it: write {folder}"
    elif own != folder:
        yield ("title",), f"its title is {own}, and its folder {folder}"


def own_id(subject: Subject) -> Iterator[Problem]:
    """The $id is the place: folder and version."""
    own = subject.file.document.get("$id")
    if own is None:
        yield (), "it has no $id; write its URI, /<folder>/<version>"
        return
    try:
        uri = canonical_uri(own) if isinstance(own, str) else ""
    except SchemaNotFound:
        uri = ""
    if subject.is_current and not is_version(name_of(uri)):
        yield ("$id",), f"its $id {own} is no URI of a version, /<folder>/<version>"
    elif subject.is_current and parent_of(uri) != parent_of(subject.uri):
        yield ("$id",), f"its $id is {own}, and its folder {parent_of(subject.uri)}"
    elif not subject.is_current and uri != subject.uri:
        yield ("$id",), f"its $id is {own}, and its place is {subject.uri}"


def duplicate_keys(subject: Subject) -> Iterator[Problem]:
    """An object has each key once: readers take the first, or the last, or refuse it."""
    for steps, line in subject.file.twice:
        yield steps, f"{steps[-1]} is here for the second time, in line {line}"


def fixed_references(subject: Subject) -> Iterator[Problem]:
    """References lead to versions, which never change."""
    if subject.is_current:
        yield from _references(subject.file.document, ())


def _references(value: Any, steps: Steps) -> Iterator[Problem]:
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _references(one, (*steps, index))
    if not isinstance(value, dict):
        return
    reference = value.get("$ref")
    if isinstance(reference, str):
        document = reference.partition("#")[0].rstrip("/")
        if document not in {"", "."} and not _is_fixed(document):
            yield (*steps, "$ref"), f"{reference} is of no fixed version, so it could change"
    for key, one in value.items():
        yield from _references(one, (*steps, key))


def _is_fixed(document: str) -> bool:
    name = document.rpartition("/")[2]
    for extension in (".yaml", ".yml", ".json"):
        name = name.removesuffix(extension)
    return is_version(name)
