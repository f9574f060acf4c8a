"""Recorded cases of the old system, and what we make of each: one answer per case, to compare."""

import json
from collections import ChainMap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from legacy.formats import FORMATS
from legacy.strict.errors import LOSSES
from legacy.strict.eventerror import REVISION, SCHEMA, event_error
from legacy.strict.history import HistoricParser
from legacy.strict.judge import Judgement, StrictLegacy
from legacy.strict.lines import StrictFormat
from legacy.strict.parser import StrictParser
from legacy.strict.schemas import OldSchemas, Schemas
from legacy.strict.uuids import capsule_uuid
from legacy.useragent import parse_ua

LAST_FORMAT = FORMATS["2018-02"]
CONTEXT: Mapping[str, Any] = {
    "recvFrom": "cp3041.esams.wmnet",
    "seqId": 1234567,
    "dt": "2019-11-05T10:20:30",
    "ip": "198.51.100.7",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:70.0) Gecko/20100101 Firefox/70.0",
}
"""What a case's log line says where the case does not."""

_format_of = lru_cache(64)(StrictFormat.parse)


class Cases:
    """Answers cases; `schemas` are those at hand for all of them, a case may bring more."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._shared = OldSchemas(schemas)

    def answer(self, case: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a case, as JSON has values; raises ValueError if it is none.

        `result` is what kinds other than `event` are about. RecursionError says that the answer is
        nested too deeply to be written.
        """
        kind, given = case.get("kind"), case.get("input")
        if not isinstance(given, dict):
            raise ValueError("It has no input.")  # noqa: TRY004 (a decoder's one exception)
        answer: dict[str, Any] = {
            "id": case.get("id"),
            "status": "error",
            "code": None,
            "capsule": None,
            "topic": None,
            "error_event": None,
            "result": None,
        }
        if kind == "event":
            answer |= _told(self._judge(given))
        elif kind in _OTHERS:
            made, status = _OTHERS[kind]
            try:
                answer |= {"result": made(given), "status": status}
            except LOSSES:
                answer["status"] = "error"
        else:
            raise ValueError(f"There is no kind {kind!r}; there are event, {', '.join(_OTHERS)}.")
        return _plain(answer)

    def _judge(self, given: Mapping[str, Any]) -> Judgement:
        schemas = self._shared
        if extra := given.get("schemas"):
            named = {_named(name): schema for name, schema in extra.items()}
            schemas = OldSchemas(ChainMap(named, dict(self._schemas)))
        parser = StrictParser(_format_of(given.get("format", LAST_FORMAT)))
        return StrictLegacy(parser, schemas).judge(line_of(given))


def line_of(given: Mapping[str, Any]) -> str:
    """Return the log line of a case: its own, or one around its query."""
    if "line" in given:
        return str(given["line"])
    hexadecimal = given.get("query_hex")
    # The log reader replaced what is not UTF-8.
    query = bytes.fromhex(hexadecimal).decode(errors="replace") if hexadecimal else given["query"]
    facts = {**CONTEXT, **given.get("context", {})}
    columns = (facts["recvFrom"], facts["seqId"], facts["dt"], facts["ip"])
    return "\t".join((f"?{query}", *map(str, columns), f'"{facts["userAgent"]}"'))


def _told(judgement: Judgement) -> dict[str, Any]:
    told: dict[str, Any] = {
        "status": judgement.status,
        "code": judgement.code,
        "capsule": judgement.capsule,
        "topic": judgement.topic,
    }
    if judgement.error_event is not None:
        raw_is = "capsule json, sort_keys" if judgement.code == "validation" else "raw line"
        told["error_event"] = {
            "code": judgement.code,
            "rawEvent_is": raw_is,
            "schema": judgement.error_event["schema"],
            "revision": judgement.error_event["revision"],
        }
    return told


def _agent(given: Mapping[str, Any]) -> Any:
    return parse_ua(given["userAgent"])


def _uuid(given: Mapping[str, Any]) -> Any:
    return capsule_uuid(given["capsule"], now=datetime.now(UTC))


def _event_error(given: Mapping[str, Any]) -> Any:
    event = event_error(
        given["raw_event"], given["message"], given["code"], given.get("parsed_event")
    )
    return {"schema": SCHEMA, "revision": REVISION, "wiki": "", "event": event}


def _history(given: Mapping[str, Any]) -> Any:
    return HistoricParser(given["format"], given["release"]).parse(given["line"])


_OTHERS: Mapping[Any, tuple[Callable[[Mapping[str, Any]], Any], str]] = {
    "ua": (_agent, "ok"),
    "uuid": (_uuid, "ok"),
    "eventerror": (_event_error, "ok"),
    "history": (_history, "parsed"),
}


def _named(name: str) -> tuple[str, int]:
    schema, _, revision = name.rpartition("/")
    return schema, int(revision)


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the floats that JSON has no words for."""
    # Both ways are compiled code, which reaches deeper than a walk through the value would.
    plain: dict[str, Any] = json.loads(
        json.dumps(answer), parse_constant=lambda name: {"$float": name}
    )
    return plain
