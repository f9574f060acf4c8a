"""Putting one value into a YAML or JSON file that people write: all else stays as they wrote it."""

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from migration.conversion.yamltext import yaml_of

_INDENT = 2

Parse = Callable[[str], Any]
"""Reads the file as its users do; raises ValueError."""


class EditError(ValueError):
    """A file cannot be edited without risk; the message says why. It has to be done by hand."""


def put(text: str, path: Sequence[str], value: Any, parse: Parse) -> str:
    """Return a file's text with a value at a path of keys, those that are missing included.

    What comes out is read again: if anything but this value were different, EditError is raised.
    """
    before = parse(text) if text.strip() else {}
    wanted = _with(copy.deepcopy(before), path, value)
    if before == wanted:
        return text
    edited = _edited(text, path, value)
    try:
        after = parse(edited)
    except ValueError as error:
        raise EditError(f"it would not be readable afterwards: {error}") from error
    if after != wanted:
        raise EditError("more than this would change")
    return edited


def _with(document: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    if document is None or document == "":
        document = {}
    if not isinstance(document, dict):
        raise EditError(f"{path[0]} has no place: what should hold it is no mapping")
    return document | {path[0]: _with(document.get(path[0], {}), path[1:], value)}


def _edited(text: str, path: Sequence[str], value: Any) -> str:
    if text.lstrip().startswith("{"):
        try:
            document = json.loads(text)
        except ValueError as error:
            raise EditError("it is a YAML flow mapping, or broken JSON") from error
        return json.dumps(_with(document, path, value), indent=_INDENT, ensure_ascii=False) + "\n"
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise EditError(f"it is not YAML: {error}") from error
    newline = "\r\n" if "\r\n" in text else "\n"
    if root is None:
        before = text if not text or text.endswith("\n") else text + newline
        return before + _block(path, value, 0, newline)
    return _in_node(text, root, path, value, newline)


def _in_node(text: str, node: yaml.Node, path: Sequence[str], value: Any, newline: str) -> str:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise EditError(f"{path[0]} has no place: what should hold it is no mapping")
    column = node.value[0][0].start_mark.column
    for key, inner in node.value:
        if key.value != path[0]:
            continue
        if len(path) > 1 and isinstance(inner, yaml.MappingNode) and inner.value:
            return _in_node(text, inner, path[1:], value, newline)
        start, end = inner.start_mark.index, inner.end_mark.index
        if isinstance(value, dict) or len(path) > 1:
            if isinstance(inner, yaml.CollectionNode) and inner.value:
                raise EditError(f"{path[0]} holds something else")
            block = _block(path[1:], value, column + _INDENT, newline).removesuffix(newline)
            return text[:start].rstrip(" ") + newline + block + text[end:]
        return text[:start] + yaml_of({"x": value})[len("x: ") :].strip() + text[end:]
    if node.flow_style:
        raise EditError("it is written in one line, with braces")
    return _appended(
        text, _last_line_end(text, node), _block(path, value, column, newline), newline
    )


def _appended(text: str, at: int, block: str, newline: str) -> str:
    before = text[:at]
    return before + ("" if before.endswith("\n") else newline) + block + text[at:]


def _last_line_end(text: str, node: yaml.Node) -> int:
    """Return where the line of the last value ends; a mapping's own end is after all blanks."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    if end and text[end - 1] == "\n":  # a text in a block ends with its line
        return end
    stop = text.find("\n", end)
    return len(text) if stop < 0 else stop + 1


def _block(path: Sequence[str], value: Any, column: int, newline: str) -> str:
    for key in reversed(path):
        value = {key: value}
    lines = yaml_of(value).splitlines()
    return "".join(f"{' ' * column}{line}{newline}" for line in lines)
