"""Exceptions in the log: of what kind, where from, and what they say if that tells of no client."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb

from app.core.errors import ConfigError

MAX_LINKS = 5
MAX_FRAMES = 25
MAX_SAID = 500

# Their texts tell of the machine, of types or of settings. Those of others, such as KeyError or
# ValueError, often repeat the value at fault, which may be a client's.
_TELLING = (
    OSError,
    sqlite3.Error,
    MemoryError,
    RecursionError,
    ImportError,
    AttributeError,
    IndexError,
    NotImplementedError,
    TypeError,
    ConfigError,
)
_TELLING_PACKAGES = ("aiokafka",)

_HOME = Path(__file__).parent.parent.parent


def fault_text(error: BaseException, *, whole: bool = False) -> str:
    """Return an exception, and what led to it, as lines; where it was raised comes first.

    `whole`: with what it says, whatever that may repeat.
    """
    return "\n".join(_lines(error, whole=whole))


def _lines(error: BaseException, *, whole: bool) -> Iterator[str]:
    link: BaseException | None = error
    lead = ""
    for _ in range(MAX_LINKS):
        if link is None:
            return
        yield f"{lead}{_name(link)}{_said(link, whole=whole)}"
        yield from _frames(link)
        if isinstance(link, BaseExceptionGroup):
            for each in link.exceptions[:MAX_LINKS]:
                yield f"one of it: {_name(each)}{_said(each, whole=whole)}"
                yield from _frames(each)
        lead = "from: "
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _said(error: BaseException, *, whole: bool) -> str:
    tells = isinstance(error, _TELLING) or type(error).__module__.startswith(_TELLING_PACKAGES)
    if not (tells or whole):
        return " (what it says may repeat what a client sent; log.level: debug shows it)"
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 (an exception that cannot be read is told of all the same)
        return ""
    return f": {text[:MAX_SAID]}" if text else ""


def _frames(error: BaseException) -> list[str]:
    """Return where an exception passed through, the innermost place first."""
    frames = [
        f"  {_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_qualname}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return frames[::-1][:MAX_FRAMES]


def _short(file: str) -> str:
    _, found, inside = file.rpartition("/site-packages/")
    if found:
        return inside
    path = Path(file)
    return str(path.relative_to(_HOME)) if path.is_relative_to(_HOME) else file
