"""From files and the environment to settings, and from settings to what people read."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from app.core.errors import ConfigError
from app.core.yaml import YamlError, parse_yaml
from app.settings import (
    ENV_PREFIX,
    JsonlSinkSettings,
    KafkaSinkSettings,
    MemorySinkSettings,
    Settings,
    SqliteSinkSettings,
)

SINKS = (SqliteSinkSettings, JsonlSinkSettings, MemorySinkSettings, KafkaSinkSettings)
CONFIG_VARIABLE = "SLUICEWAY_CONFIG"
TEST_VARIABLES = (
    "SLUICEWAY_TEST_KAFKA",
    "SLUICEWAY_REQUIRE_KAFKA",
    "SLUICEWAY_REQUIRE_BROWSER",
    "SLUICEWAY_REQUIRE_SPARK",
    "SLUICEWAY_REQUIRE_VALGRIND",
    "SLUICEWAY_REQUIRE_AUDIT",
)
"""Variables of our own tests, which are no settings."""

_SECRET_PARAMETER = re.compile(
    r"(?i)([?&][^=&#]*(?:password|secret|token|authorization|api[-_]?key)[^=&#]*=)[^&#]*"
)
_SECRET = re.compile(r"(?i)password|secret|token|authorization|cookie|api[-_]?key(?!s_file)")


def load_settings(config: str | Path | None = None) -> Settings:
    """Return the settings in force; raises ConfigError with every problem at once.

    `config` is a YAML file; None takes the one that `SLUICEWAY_CONFIG` names, if any.
    """
    path = config or os.environ.get(CONFIG_VARIABLE)
    values = _read(Path(path)) if path else {}
    _let_environment_choose_sink(values)
    unknown = [
        f"{name} in the environment is no setting"
        for name in sorted(os.environ)
        if name.startswith(ENV_PREFIX) and not _names_setting(name)
    ]
    try:
        settings = Settings(**values)
    except SettingsError as error:
        raise ConfigError(
            f"{error} (in the environment); lists and mappings are written as JSON there, such as "
            "'[\"./schemas\"]'.",
            *unknown,
        ) from error
    except ValidationError as error:
        problems = [_problem(detail, path) for detail in error.errors()]
        raise ConfigError(*problems, *unknown) from error
    if unknown:
        raise ConfigError(*unknown)
    return settings


def described() -> dict[str, str]:
    """Return every setting's dotted name with its description."""
    return dict(_described(Settings, ""))


def masked(settings: Settings) -> dict[str, Any]:
    """Return all settings as JSON values, secrets as `***`."""
    value: dict[str, Any] = _masked(settings.model_dump(mode="json"))
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        value = parse_yaml(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"The configuration {path} cannot be read: {error.strerror or error}."
        ) from error
    except YamlError as error:
        raise ConfigError(f"The configuration {path} is {error}.") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"The configuration {path} is not a mapping of settings.")
    return value


def _let_environment_choose_sink(values: dict[str, Any]) -> None:
    """Drop the file's sink where the environment names one of another type: they cannot mix."""
    chosen = os.environ.get(f"{ENV_PREFIX}SINK__TYPE")
    sink = values.get("sink")
    if chosen and isinstance(sink, dict) and sink.get("type", "sqlite") != chosen:
        del values["sink"]


def _names_setting(variable: str) -> bool:
    name = variable.removeprefix(ENV_PREFIX).lower()
    if variable == CONFIG_VARIABLE or variable in TEST_VARIABLES:
        return True
    first, *deeper = name.split("__")
    if first not in Settings.model_fields:
        return False
    # What is deeper than a section is judged by the section itself.
    is_group = isinstance(Settings.model_fields[first].default, dict) or (
        Settings.model_fields[first].default_factory is not None
    )
    return is_group or not deeper


def _problem(detail: Any, path: str | Path | None) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = "there is no such setting"
    source = f" (in {path} or the environment)" if path else ""
    return f"{where}: {message}{source}" if where else f"{message}{source}"


def _described(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _described(annotation, f"{prefix}{name}.")
        elif name == "sink":
            for sink in SINKS:
                for inner, text in _described(sink, "sink."):
                    if inner != "sink.type":
                        yield inner, text
            yield "sink.type", "Where events go: sqlite, jsonl, memory or kafka."
        else:
            yield f"{prefix}{name}", info.description or ""


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        # What is inside of something secret is secret, too, whatever its own name.
        secret = bool(_SECRET.search(name))
        return {key: _masked(item, name if secret else key) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, name) for item in value]
    if isinstance(value, str):
        if _SECRET.search(name):
            return "***"
        # Secrets inside a URI: https://user:password@host/?token=secret
        without_user = re.sub(r"(://)[^/@]*@", r"\1***@", value)
        return _SECRET_PARAMETER.sub(r"\1***", without_user)
    return value
