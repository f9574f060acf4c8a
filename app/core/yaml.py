"""YAML (and so JSON) files read as the JSON values that their authors meant.

PyYAML reads YAML 1.1, where `no` is false, `12:30` a number and a date a Python object. Schemas and
stream configurations are written for YAML 1.2 readers; this one keeps to its core schema.
"""

import json
import math
import re
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_NODES = 200_000
MAX_DEPTH = 200  # far beyond any schema, far below the recursion limit


class YamlError(ValueError):
    """A text is not YAML, or not one that can be JSON."""


class YamlTooMuchError(YamlError):
    """A text is YAML, but nested too deep, or has too many values."""


class _CoreLoader(_Base):  # type: ignore[misc]  # PyYAML's C loader is chosen at run time
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (the name is PyYAML's)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?)$",
        "-+.0123456789",
    ),
    ("merge", r"^(?:<<)$", "<"),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _no_constant(name: str) -> Any:
    raise YamlError(f"{name} is no number of JSON")


def _float_of(loader: Any, node: Any) -> float:
    return float(loader.construct_scalar(node))


_CoreLoader.add_constructor("tag:yaml.org,2002:float", _float_of)


def parse_yaml(text: str | bytes) -> Any:
    """Return the value that a YAML 1.2 or JSON text means; raises YamlError.

    Mapping keys become strings. A text whose aliases multiply it beyond 200,000 values is refused.
    """
    try:
        # JSON first: it is faster, and YAML readers stumble over its surrogate escapes.
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = _parse_yaml(text)
    return _jsonlike(value)


def _parse_yaml(text: str | bytes) -> Any:
    try:
        _check_depth(text)
        return yaml.load(text, Loader=_CoreLoader)  # noqa: S506 (derived from the safe loader)
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {' '.join(str(error).split())}") from error
    except YamlError:
        raise
    except (RecursionError, ValueError) as error:
        raise YamlError(f"not YAML that we read: {error}") from error


def _check_depth(text: str | bytes) -> None:
    # PyYAML's C loader recurses without a limit: 100,000 brackets end the process.
    depth = 0
    for event in yaml.parse(text, Loader=_CoreLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlTooMuchError(f"nested more than {MAX_DEPTH} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _jsonlike(value: Any) -> Any:
    budget = MAX_NODES

    def walk(value: Any, depth: int) -> Any:
        nonlocal budget
        budget -= 1
        if budget < 0:
            raise YamlTooMuchError(f"more than {MAX_NODES} values, aliases counted")
        if depth > MAX_DEPTH:
            raise YamlTooMuchError(f"nested more than {MAX_DEPTH} deep")
        if isinstance(value, dict):
            return {_key(key): walk(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, depth + 1) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            raise YamlError("a number is too large for a double")
        if value is None or isinstance(value, str | int | float):
            return value
        raise YamlError(f"a {type(value).__name__} cannot be JSON")

    return walk(value, 0)


def _key(key: Any) -> str:
    match key:
        case str():
            return key
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[key]
        case int() | float():
            return str(key)
        case _:
            raise YamlError(f"a {type(key).__name__} cannot be a key in JSON")
