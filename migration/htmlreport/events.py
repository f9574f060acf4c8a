"""JSON as it is shown, with one node marked."""

import json
from collections.abc import Collection
from html import escape
from typing import Any

from app.core.json import escaped
from migration.parity.causes import general

MAX_LINES = 60
ANY = "*"


def shown_json(value: Any, marked: Collection[str], pointer: str = "") -> str:
    """Return a value as HTML, where what stands at a marked pointer stands out.

    A marked pointer that leads nowhere marks the object that it should be in.
    """
    lines = _lines(value, pointer, frozenset(_nearest(value, each, pointer) for each in marked), 0)
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], "…"]
    return "\n".join(lines)


def _nearest(value: Any, wanted: str, pointer: str) -> str:
    """Return the pointer itself, or of the nearest thing that is there."""
    at = pointer
    for token in wanted.removeprefix(pointer).split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and (name == ANY or name.isdecimal()):
            value = value[0] if name == ANY and value else None
        else:
            return general(at)
        at = f"{at}/{token}"
    return general(at)


def _lines(value: Any, pointer: str, marked: Collection[str], depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(value, dict) and value:
        inner = [
            _entry(
                f"{json.dumps(name, ensure_ascii=False)}: ",
                _lines(one, f"{pointer}/{escaped(name)}", marked, depth + 1),
                depth,
            )
            for name, one in value.items()
        ]
        lines = _joined("{", "}", inner, pad)
    elif isinstance(value, list) and value:
        inner = [
            _entry("", _lines(one, f"{pointer}/{number}", marked, depth + 1), depth)
            for number, one in enumerate(value)
        ]
        lines = _joined("[", "]", inner, pad)
    else:
        lines = [escape(json.dumps(value, ensure_ascii=False))]
    if general(pointer) in marked:
        lines = [f"<mark>{line}</mark>" for line in lines]
    return lines


def _entry(label: str, lines: list[str], depth: int) -> list[str]:
    return [f"{'  ' * (depth + 1)}{escape(label)}{lines[0]}", *lines[1:]]


def _joined(opening: str, closing: str, entries: list[list[str]], pad: str) -> list[str]:
    lines = [opening]
    for number, entry in enumerate(entries):
        comma = "," if number < len(entries) - 1 else ""
        lines += [*entry[:-1], entry[-1] + comma]
    return [*lines, f"{pad}{closing}"]
