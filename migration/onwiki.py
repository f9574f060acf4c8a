"""On-wiki schemas as they come: a file, a folder of files, an answer of the wiki's API."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from app.schemas.repository import Document
from legacy.strict.schemas import reference_in_name

MAX_BYTES = 4_194_304
LEFT_OUT = "partial"
"""A folder of schemas that are not whole: nothing can be converted from them."""

_PREFIX = "Schema:"
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNKNOWN_REVISION = re.compile(r"-0+$")


class OnWikiError(ValueError):
    """A source holds no on-wiki schema; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class OnWikiSchema:
    """A schema as it stood on the wiki. `name` and `revision` are None where nobody says them."""

    source: str
    schema: Document
    name: str | None = None
    revision: int | None = None


def load_schema(path: Path) -> OnWikiSchema:
    """Read a file; raises OnWikiError.

    What it is called (`Name-revision.json`) tells name and revision, where an answer does not.
    """
    try:
        with path.open("rb") as file:
            read = read_schema(file, str(path))
    except OSError as error:
        raise OnWikiError(f"it cannot be read: {error.strerror or error}") from error
    reference = reference_in_name(path.stem)
    if reference is None:
        return replace(read, name=read.name or path.stem)
    name, revision = reference
    # 0 says that nobody knows which revision it was.
    known = None if _UNKNOWN_REVISION.search(path.stem) else revision
    return replace(read, name=_named(read.name, name), revision=read.revision or known)


def read_schema(source: BinaryIO, name: str) -> OnWikiSchema:
    """Read a schema, or an answer that holds one, from a stream; raises OnWikiError."""
    text = source.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise OnWikiError(f"it is larger than {MAX_BYTES:,} bytes")
    return _schema_in(_object_in(text), name)


def newest_in(folder: Path) -> list[Path]:
    """Return the files of a folder that are called `Name-revision.json`: the newest of each name.

    Of two files for the same revision the one higher up counts.
    """
    newest: dict[str, tuple[int, Path]] = {}
    inside = (path.relative_to(folder) for path in folder.rglob("*.json"))
    for path in sorted(inside, key=lambda path: (len(path.parts), path)):
        reference = reference_in_name(path.stem)
        if reference is None or LEFT_OUT in path.parent.parts:
            continue
        name, revision = reference
        if name not in newest or newest[name][0] < revision:
            newest[name] = (revision, path)
    return [folder / path for _, path in newest.values()]


def _object_in(text: bytes | str) -> Document:
    try:
        value = json.loads(text, parse_constant=_no_constant)
        if _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            raise OnWikiError("it has half of a character (a lone surrogate) in a text")
    except (ValueError, RecursionError) as error:
        if isinstance(error, OnWikiError):
            raise
        raise OnWikiError(f"it is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise OnWikiError("it is JSON, but not an object")
    return value


def _no_constant(name: str) -> Any:
    raise OnWikiError(f"{name} is no number of JSON")


def _schema_in(value: Document, source: str) -> OnWikiSchema:
    if isinstance(value.get("error"), dict) and "code" in value["error"]:
        said = value["error"].get("info") or value["error"]["code"]
        raise OnWikiError(f"the wiki answered with an error: {said}")
    if isinstance(value.get("query"), dict):
        return _of_query(value["query"], source)
    # The answer of action=jsonschema is the schema, with the page's name put in as its title.
    title = value.get("title")
    return OnWikiSchema(source, value, _title(title) if isinstance(title, str) else None)


def _of_query(query: Document, source: str) -> OnWikiSchema:
    """Read an answer of action=query with prop=revisions, of either format version."""
    pages = query.get("pages")
    listed = list(pages.values()) if isinstance(pages, dict) else pages
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        raise OnWikiError("the answer does not hold exactly one page; ask for one")
    page = listed[0]
    revisions = page.get("revisions")
    if not isinstance(revisions, list) or not revisions or not isinstance(revisions[0], dict):
        raise OnWikiError(
            f"the answer holds no revision of {page.get('title', 'the page')}; "
            "ask with prop=revisions&rvprop=content|ids"
        )
    newest = max(revisions, key=lambda one: _revision_id(one) or 0)
    content = _content(newest)
    if content is None:
        raise OnWikiError("the answer does not hold the page's text; ask with rvprop=content|ids")
    title = page.get("title")
    name = _title(title) if isinstance(title, str) else None
    return OnWikiSchema(source, _object_in(content), name, _revision_id(newest))


def _content(revision: Document) -> str | None:
    slots = revision.get("slots")
    holder = slots.get("main") if isinstance(slots, dict) else revision
    if not isinstance(holder, dict):
        return None
    content = holder.get("content", holder.get("*"))
    return content if isinstance(content, str) else None


def _revision_id(revision: Document) -> int | None:
    number = revision.get("revid")
    return number if isinstance(number, int) and number > 0 else None


def _title(text: str) -> str | None:
    """Return the schema's name of a page's title."""
    return text.removeprefix(_PREFIX).replace(" ", "_") or None


def _named(told: str | None, of_file: str) -> str:
    # A title may be anything, unless it is the file's name in another spelling.
    return told if told and told.lower() == of_file.lower() else of_file
