"""Lint: every rule on every schema of a repository."""

from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path

from app.schemas.keywords import Path as Steps
from app.schemas.keywords import pointer_of
from app.schemas.uris import name_of
from migration.linting.finding import Edit, Finding, Problem
from migration.linting.structure import current_exists, current_released, links
from migration.linting.subject import Subject
from migration.linting.types import numeric_bounds, one_type, required_exists, snake_case
from migration.linting.use import (
    dereferenced,
    dialect,
    examples_schema,
    examples_valid,
    secure,
    valid,
)
from migration.linting.written import duplicate_keys, fixed_references, own_id, title
from migration.materialize import Library, uri_of
from migration.materializemerge import alike
from migration.materializerefs import MaterializeError
from migration.repository import Folder, SchemaFile, UnreadableSchema, load_file

Rule = Callable[[Subject], Iterator[Problem]]

WRITTEN: dict[str, Rule] = {
    "title": title,
    "id": own_id,
    "duplicate-keys": duplicate_keys,
    "fixed-references": fixed_references,
}
WHOLE: dict[str, Rule] = {
    "dialect": dialect,
    "valid": valid,
    "dereferenced": dereferenced,
    "secure": secure,
    "snake-case": snake_case,
    "one-type": one_type,
    "required-exists": required_exists,
    "numeric-bounds": numeric_bounds,
    "examples-valid": examples_valid,
    "examples-schema": examples_schema,
}
NAMES = (
    "readable",
    *("current", "links", "current-released", "materializes"),
    *WRITTEN,
    *WHOLE,
)

_OWN_ID = '{$ref: "#/$id"}'


def lint(folders: Iterable[Folder], library: Library) -> Iterator[Finding]:
    """Yield every finding, folder by folder."""
    for folder in folders:
        yield from current_exists(folder)
        yield from links(folder)
        current = yield from _current(folder, library)
        for version, path in folder.released.items():
            release = yield from _release(folder, version, path)
            if release is None:
                continue
            is_newest = version == folder.newest
            if is_newest and current is not None:
                yield from current_released(folder, current, release)
                if current.uri == release.uri and alike(current.document, release.document):
                    continue  # what there is to say of it was said of current.yaml
            yield from _judged(release, WRITTEN | WHOLE)
        if not folder.released and current is not None:
            yield from current_released(folder, current, None)


def _current(folder: Folder, library: Library) -> Generator[Finding, None, Subject | None]:
    """Yield the findings of a current.yaml; return it in its released form if it has one."""
    if folder.current is None:
        return None
    file = yield from _read(folder.current, f"/{folder.title}/current")
    if file is None:
        return None
    subject = Subject(file, f"/{folder.title}/current", file.document, is_current=True)
    yield from _judged(subject, WRITTEN)
    try:
        uri = uri_of(file.document)
        whole = library.materialized(uri, file.document)
    except MaterializeError as error:
        yield _finding("materializes", subject, error.steps, error.why)
        return None
    subject = Subject(file, f"/{folder.title}/{name_of(uri)}", whole, is_current=True)
    yield from _judged(subject, WHOLE)
    return subject


def _release(folder: Folder, version: str, path: Path) -> Generator[Finding, None, Subject | None]:
    uri = f"/{folder.title}/{version}"
    file = yield from _read(path, uri)
    return None if file is None else Subject(file, uri, file.document, is_current=False)


def _read(path: Path, uri: str) -> Generator[Finding, None, SchemaFile | None]:
    try:
        return load_file(path)
    except UnreadableSchema as error:
        yield Finding("readable", path, error.line, str(error), names=(uri,))
        return None


def _judged(subject: Subject, rules: dict[str, Rule]) -> Iterator[Finding]:
    for name, rule in rules.items():
        for steps, message in rule(subject):
            yield _finding(name, subject, steps, message)


def _finding(rule: str, subject: Subject, steps: Steps, message: str) -> Finding:
    own = subject.file.document.get("$id")
    names = (subject.uri, own) if isinstance(own, str) else (subject.uri,)
    fix = _fix(subject, steps) if rule == "examples-schema" else None
    line = subject.line(steps)
    return Finding(rule, subject.file.path, line, message, pointer_of(steps), names, fix)


def _fix(subject: Subject, steps: Steps) -> Edit | None:
    """Return the edit that lets an example name its schema by reference, for ever right."""
    file: SchemaFile = subject.file
    if not (subject.is_current and file.has(steps) and steps[-1] == "$schema"):
        return None
    spot = file.spot(steps)
    one_line = spot.start[0] == spot.end[0]
    return Edit(file.path, spot.start, spot.end, _OWN_ID) if one_line else None
