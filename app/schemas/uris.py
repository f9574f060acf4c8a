"""Schema URIs: which spellings are taken, and the one form that all of them mean."""

import re

from app.core.errors import SchemaNotFound
from app.core.json import text_of

MAX_LENGTH = 512
MAX_SHOWN = 100
LATEST = "latest"
EXTENSIONS = (".yaml", ".yml", ".json")

# No group is repeated possessively: Python before 3.11.5 loses matches there (gh-106052).
_SEGMENT = r"[A-Za-z0-9_-][A-Za-z0-9._-]*+"
_PATH = re.compile(rf"/?(?:{_SEGMENT}/)*{_SEGMENT}")
_ABSOLUTE = re.compile(rf"https?://[A-Za-z0-9.-]+(?::[0-9]{{1,5}})?(?:/{_SEGMENT})+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


def canonical_uri(text: str, *, allow_absolute: bool = False) -> str:
    """Return the one form of a schema URI: `/button/click/1.0.0`; raises SchemaNotFound.

    A missing first slash is added; an extension and an empty fragment at the end are dropped. The
    form is a path of plain segments, so it can be put behind a base URI without leading elsewhere.
    """
    if len(text) <= MAX_LENGTH:
        plain = text.removesuffix("#")
        if _PATH.fullmatch(plain):
            return _without_extension(f"/{plain.removeprefix('/')}")
        if allow_absolute and _ABSOLUTE.fullmatch(plain):
            return _without_extension(plain)
    raise _refused(text, _why_not(text, allow_absolute=allow_absolute))


def is_version(text: str) -> bool:
    """Say whether a segment is a version: 1.0.0."""
    return _VERSION.fullmatch(text) is not None


def parent_of(uri: str) -> str:
    """Return a URI without its last segment."""
    return uri.rpartition("/")[0]


def name_of(uri: str) -> str:
    """Return the last segment of a URI."""
    return uri.rpartition("/")[2]


def _without_extension(uri: str) -> str:
    while uri.endswith(EXTENSIONS):
        uri = uri.rpartition(".")[0]
    return uri


def _refused(text: str, why: str) -> SchemaNotFound:
    shown = text_of(text, MAX_SHOWN)
    return SchemaNotFound(
        f"{why}.",
        pointer="/$schema",
        expected="a path such as /button/click/1.0.0",
        got=shown if shown.isprintable() else shown.encode("unicode_escape").decode("ascii"),
        hint="Give the schema's path in the repository, with letters, digits, dots, dashes and "
        "underscores between its slashes.",
    )


def _why_not(text: str, *, allow_absolute: bool) -> str:
    if len(text) > MAX_LENGTH:
        return f"The schema URI has more than {MAX_LENGTH} characters"
    if text.startswith("//"):
        return "The schema URI starts with two slashes, which would name a host"
    if _SCHEME.match(text):
        if allow_absolute:
            return "Absolute schema URIs have to be http(s) and end in a plain path"
        return "Absolute schema URIs are not allowed"
    if "#" in text[:-1]:
        return "The schema URI has a fragment; an event follows a whole schema"
    if any(segment in (".", "..") for segment in re.split(r"[/\\]", text)):
        return "The schema URI has dot segments"
    return "The schema URI is not a plain path"
