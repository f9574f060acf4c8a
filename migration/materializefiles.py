"""What materializing does to a folder: the release and the links made, or why it is refused."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.schemas.keywords import Path as Steps
from app.schemas.keywords import pointer_of
from app.schemas.repository import Document
from app.schemas.uris import name_of, parent_of
from migration.conversion.files import write_file
from migration.conversion.yamltext import yaml_of
from migration.materialize import Library, same, uri_of
from migration.materializemerge import alike
from migration.materializerefs import MaterializeError
from migration.materializeuse import problem_of
from migration.repository import (
    Folder,
    SchemaFile,
    UnreadableSchema,
    link_target,
    links_of,
    load_file,
    order_of,
)

MAX_SHOWN = 5

State = Literal["new", "unchanged", "refused"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link to be made in a folder, to a file beside it."""

    path: Path
    target: str


@dataclass(frozen=True, slots=True)
class Release:
    """What becomes of one current.yaml. `text` is that of a new release; `line` of a problem."""

    title: str
    current: Path
    state: State
    uri: str = ""
    text: str = ""
    links: tuple[Link, ...] = ()
    problem: str = ""
    line: int = 1

    @property
    def file(self) -> Path:
        """The file of the release."""
        return self.current.with_name(f"{name_of(self.uri)}.yaml")

    @property
    def changes(self) -> bool:
        """Whether anything has to be written."""
        return bool(self.text or self.links)


@dataclass(slots=True)
class _Refused(Exception):
    why: str
    steps: Steps = field(default=())


def releases_of(folders: Iterable[Folder], library: Library) -> Iterator[Release]:
    """Yield what becomes of each folder that has a current.yaml. Nothing is written."""
    having = [folder for folder in folders if folder.current is not None]
    library.add_unreleased(having)
    for folder in having:
        yield _release(folder, library)


def write(release: Release) -> None:
    """Write a release and its links; raises OSError."""
    if release.text:
        write_file(release.file, release.text)
    for link in release.links:
        make_link(link)


def make_link(link: Link) -> None:
    """Make or turn a link; a file with its target's name where links cannot be made."""
    beside = link.path.with_name(f".{link.path.name}.{os.getpid()}")
    try:
        plain = link.path.is_file() and not link.path.is_symlink()
        try:
            if plain:  # a checkout without links: more of them would not be understood either
                beside.write_text(link.target, encoding="utf-8")
            else:
                beside.symlink_to(link.target)
        except NotImplementedError:
            beside.write_text(link.target, encoding="utf-8")
        beside.replace(link.path)
    finally:
        beside.unlink(missing_ok=True)


def wanting(folder: Folder, version: str | None = None) -> Iterator[Link]:
    """Yield the links that are missing or lead elsewhere; `version` is about to be released.

    A file or folder of that name which is no link is left alone.
    """
    for name, target in links_of(folder, version).items():
        path = folder.path / name
        found = link_target(path)
        if found is not None and found.removeprefix("./") == target:
            continue
        if found is not None or not os.path.lexists(path):
            yield Link(path, target)


def differences(one: Document, other: Document, steps: Steps = ()) -> Iterator[Steps]:
    """Yield the places where two documents differ."""
    for key in sorted(one.keys() | other.keys()):
        inner = (*steps, key)
        before, after = one.get(key), other.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from differences(before, after, inner)
        elif (key in one) != (key in other) or not alike(before, after):
            yield inner


def _release(folder: Folder, library: Library) -> Release:
    assert folder.current is not None
    try:
        file = load_file(folder.current)
    except UnreadableSchema as error:
        return Release(folder.title, folder.current, "refused", problem=str(error), line=error.line)
    try:
        return _planned(folder, file, library)
    except MaterializeError as error:
        why, steps = error.why, error.steps
    except _Refused as error:
        why, steps = error.why, error.steps
    except UnreadableSchema as error:
        why, steps = f"the release that is there cannot be read: {error}", ("$id",)
    return Release(folder.title, file.path, "refused", problem=why, line=file.spot(steps).line)


def _planned(folder: Folder, file: SchemaFile, library: Library) -> Release:
    uri = uri_of(file.document)
    version = name_of(uri)
    _check_place(folder, file.document, uri)
    made = library.materialized(uri, file.document)
    released = folder.released.get(version)
    links = tuple(wanting(folder, version))
    if released is not None:
        _check_same(load_file(released).document, made, uri)
        return Release(folder.title, file.path, "unchanged", uri, links=links)
    if folder.newest is not None and order_of(version) < order_of(folder.newest):
        raise _Refused(f"{folder.newest} is released already; give $id a higher version", ("$id",))
    problem = problem_of(uri, made)
    if problem:
        raise _Refused(problem)
    return Release(folder.title, file.path, "new", uri, text=yaml_of(made), links=links)


def _check_place(folder: Folder, document: Document, uri: str) -> None:
    if parent_of(uri) != f"/{folder.title}":
        raise _Refused(
            f"its $id is {uri}, but its folder is {folder.title}: write "
            f"/{folder.title}/{name_of(uri)}, or move it",
            ("$id",),
        )
    if document.get("title") != folder.title:
        raise _Refused(f"its title has to be that of its folder, {folder.title}", ("title",))


def _check_same(released: Document, made: Document, uri: str) -> None:
    if same(released, made):
        return
    places = [f"#{pointer_of(steps)}" for steps in differences(released, made)]
    more = f" and {len(places) - MAX_SHOWN} more places" if len(places) > MAX_SHOWN else ""
    raise _Refused(
        f"{uri} is released and differs at {', '.join(places[:MAX_SHOWN])}{more}. A release never "
        "changes: give $id a higher version",
        ("$id",),
    )
