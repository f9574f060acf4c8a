"""Schemas that are bombs, on a running service: refused with a reason that their owner can see.

Meanwhile honest requests are answered; the figures are printed with `pytest -s`.
"""

import json
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from tests.support import served, sluiceway

pytestmark = pytest.mark.slow

DRAFT = "https://json-schema.org/draft-07/schema#"
HONEST = {"$schema": "/honest/1.0.0", "meta": {"stream": "honest"}, "button": "save"}
LONGEST = 4.0
"""Seconds of CPU for which a bomb may keep honest requests waiting, on a slow machine."""


class Bomb(NamedTuple):
    """A schema, an event under it, and what becomes of them: `says` in the answer with `status`."""

    schema: dict[str, Any]
    event: Callable[[], dict[str, Any]]
    status: int
    says: str = ""


def small():
    return {"a": "x"}


def doubled(levels):
    """References that judge one value 2^levels times."""
    names = [f"d{i}" for i in range(levels + 1)]
    definitions = {
        name: {"allOf": [{"$ref": f"#/definitions/{inner}"}] * 2} for name, inner in pairwise(names)
    }
    return {"$ref": "#/definitions/d0", "definitions": definitions | {names[-1]: {}}}


def doubled_inwards(levels):
    """The same, where each level is one deeper in the event."""
    names = [f"d{i}" for i in range(levels + 1)]
    definitions = {
        name: {"items": {"allOf": [{"$ref": f"#/definitions/{inner}"}] * 2}}
        for name, inner in pairwise(names)
    }
    return {"properties": {"a": {"$ref": "#/definitions/d0"}}} | {
        "definitions": definitions | {names[-1]: {}}
    }


def nested(levels):
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


def deep(levels):
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def a(**schema):
    return {"properties": {"a": schema}}


BOMBS = {
    "exponential-ref": Bomb(doubled(60), small, 503, "more than 100,000 schemas"),
    "exponential-ref-inwards": Bomb(
        doubled_inwards(40), lambda: {"a": [[[1]]]}, 503, "more than 100,000 times"
    ),
    "endless-ref": Bomb({"allOf": [{"$ref": "#"}]}, small, 503, "without end"),
    "endless-ref-of-two": Bomb(
        {
            "$ref": "#/definitions/b",
            "definitions": {"b": {"$ref": "#/definitions/c"}, "c": {"$ref": "#/definitions/b"}},
        },
        small,
        503,
        "without end",
    ),
    "recursive-ref": Bomb(a(**{"$ref": "#"}), lambda: deep(60), 201),
    "recursive-ref-doubled": Bomb(
        {"allOf": [a(**{"$ref": "#"}), a(**{"$ref": "#"})]}, lambda: deep(60), 201
    ),
    "huge-enum": Bomb(a(enum=[f"v{i}" for i in range(80_000)]), lambda: {"a": "v79999"}, 201),
    "huge-enum-no-match": Bomb(
        a(enum=[f"v{i}" for i in range(80_000)]), small, 400, "should be equal to one of"
    ),
    "huge-enum-of-objects": Bomb(
        a(items={"enum": [{"b": i} for i in range(40_000)]}),
        lambda: {"a": [{"b": 39_999}] * 50_000},
        413,
        "values, which its schema cannot judge in time",
    ),
    "unique-items": Bomb(
        a(type="array", uniqueItems=True, maxItems=100_000, items={"type": "integer"}),
        lambda: {"a": list(range(100_000))},
        201,
    ),
    "unique-items-of-objects": Bomb(
        a(type="array", uniqueItems=True, maxItems=100_000),
        lambda: {"a": [{"b": i} for i in range(70_000)]},
        201,
    ),
    "unique-items-without-bound": Bomb(
        a(type="array", uniqueItems=True), small, 503, "needs maxItems"
    ),
    "backtracking": Bomb(
        a(type="string", maxLength=1_000_000, pattern="^(a+)+$"),
        lambda: {"a": "a" * 900_000 + "!"},
        400,
        "should match pattern",
    ),
    "backtracking-in-a-name": Bomb(
        {"patternProperties": {"^(a|a)*$": {"type": "integer"}}}
        | {"propertyNames": {"maxLength": 1_000_000}},
        lambda: {"a" * 900_000 + "!": 1},
        201,
    ),
    "pattern-without-bound": Bomb(a(pattern="^(a+)+$"), small, 503, "needs maxLength"),
    "look-around": Bomb(a(maxLength=99, pattern="^(?=a)"), small, 503, "without look-around"),
    "pattern-of-10000-places": Bomb(
        a(maxLength=1_000_000, pattern="(a{1,500}){1,20}b"), small, 503, "10,000 positions"
    ),
    "pattern-of-4000-places": Bomb(
        a(maxLength=1_000_000, pattern="(a{1,200}){1,20}b"),
        lambda: {"a": "a" * 900_000},
        413,
        "characters of text, which its schema cannot judge",
    ),
    "pattern-of-4000-places-at-its-budget": Bomb(
        a(maxLength=1_000_000, pattern="(a{1,200}){1,20}b"),
        lambda: {"a": "a" * 4_900},
        400,
        "should match pattern",
    ),
    "alternatives": Bomb(
        a(items={"anyOf": [{"const": i} for i in range(5_000)]}),
        lambda: {"a": [4_999] * 100_000},
        413,
        "values, which its schema cannot judge in time",
    ),
    "alternatives-at-their-budget": Bomb(
        a(items={"anyOf": [{"const": i} for i in range(5_000)]}),
        lambda: {"a": [4_999] * 780},
        201,
    ),
    "fractions": Bomb(
        a(items={"multipleOf": 1e-300}), lambda: {"a": [1e300] * 100_000}, 413, "values"
    ),
    "defaults": Bomb(
        a(items={"properties": {f"b{i}": {"default": 0} for i in range(900)}}),
        lambda: {"a": [{} for _ in range(100_000)]},
        413,
        "add more than 50,000 values",
    ),
    "deeply-nested": Bomb(nested(300), lambda: {"a": {}}, 503, "cannot be used"),
    "nested-as-deep-as-may-be": Bomb(nested(60), lambda: {"a": {"a": {}}}, 201),
    "many-properties": Bomb(
        {"properties": {f"p{i}": {} for i in range(100_000)}}, small, 503, "1,048,576 bytes"
    ),
    "many-short-properties": Bomb(
        {"properties": {f"{i:x}": {} for i in range(50_000)}}, small, 503, "20,000 schemas"
    ),
    "huge-file": Bomb({"description": "x" * 5_000_000}, small, 503, "1,048,576 bytes"),
    "many-anchors": Bomb(
        {"definitions": {f"d{i}": {"$id": f"#n{i}"} for i in range(9_000)}}
        | {"allOf": [{"$ref": f"#n{i}"} for i in range(9_000)]},
        small,
        201,
    ),
}


def event_of(name):
    return {"$schema": f"/{name}/1.0.0", "meta": {"stream": name}} | BOMBS[name].event()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("budgets")
    honest = {"properties": {"button": {"type": "string"}}}
    documents = {name: bomb.schema for name, bomb in BOMBS.items()} | {"honest": honest}
    for name, schema in documents.items():
        place = folder / "schemas" / name
        place.mkdir(parents=True)
        document = {"title": name, "$id": f"/{name}/1.0.0", "$schema": DRAFT, "type": "object"}
        (place / "1.0.0").write_text(json.dumps(document | schema))
        (place / "latest").symlink_to("1.0.0")
    settings = {
        "schemas": {"base_uris": [str(folder / "schemas")]},
        "streams": {"uri": str(folder / "streams.yaml")},
    }
    (folder / "streams.yaml").write_text(json.dumps({n: {"schema_title": n} for n in documents}))
    (folder / "sluiceway.yaml").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="module")
def service(folder):
    with served(folder, "--config", "sluiceway.yaml") as service:
        assert service.post(HONEST)[0] == 201
        yield service
        assert "Traceback" not in (folder / "stderr.txt").read_text()


@contextmanager
def honest_requests(service):
    """Post honest events one after the other meanwhile; yield the list of their times."""
    times: list[float] = []
    statuses: set[int] = set()
    over = threading.Event()

    def post():
        while not (times and over.wait(0.01)):
            started = time.monotonic()
            statuses.add(service.post(HONEST)[0])
            times.append(time.monotonic() - started)

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join(30)
    assert statuses == {201}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_answered_with_its_reason_and_honest_requests_go_on(service, name):
    bomb = BOMBS[name]
    body = json.dumps(event_of(name)).encode()

    busy = service.busy()
    with honest_requests(service) as times:
        answers = []
        for _ in range(2):  # with the schema unknown, and known or known to be refused
            started = time.monotonic()
            status, answer = service.post(body)
            answers.append((status, time.monotonic() - started))
            assert status == bomb.status, answer[:500]
            assert bomb.says.encode() in answer
    busy = service.busy() - busy
    first, second = (seconds for _, seconds in answers)
    print(
        f"\n{name}: {bomb.status} in {first:.3f} s, then {second:.3f} s; honest requests: "
        f"{len(times)}, median {statistics.median(times):.3f} s, slowest {max(times):.3f} s; "
        f"CPU of both: {busy:.2f} s"
    )

    assert busy / 2 < LONGEST
    if bomb.status == 503:
        told = json.loads(answer)["error"][0]
        assert told["reason"] == "schema_unusable"
        assert f"Schema /{name}/1.0.0 cannot be used: " in told["context"]["message"]


def test_the_owner_of_the_stream_sees_that_its_schema_is_refused(service, folder):
    name = "exponential-ref"
    service.post([event_of(name)] * 50)

    errors = [
        row["event"]
        for row in service.log("--stream", "sluiceway.error")
        if row["event"]["errored_stream_name"] == name
    ]
    status, shown = service.get(f"/v1/schemas/{name}/1.0.0")
    metrics = service.get("/metrics")[1].decode()
    logged = (folder / "stderr.txt").read_text()

    assert [error["reason"] for error in errors] == ["schema_unusable"]  # of many events, one
    assert errors[0]["errored_schema_uri"] == f"/{name}/1.0.0"
    assert "more than 100,000 schemas" in errors[0]["message"]
    assert status == 503
    assert b"more than 100,000 schemas" in shown
    assert 'reason="schema_unusable"' in metrics
    said = [line for line in logged.splitlines() if "A schema cannot be used" in line]
    assert len([line for line in said if f"uri=/{name}/1.0.0" in line]) == 1


def test_check_names_every_stream_whose_schema_is_refused(folder):
    done = sluiceway(folder, "check", "--config", "sluiceway.yaml")

    named = {line.split()[2].rstrip(":") for line in done.stderr.splitlines() if "stream " in line}
    assert done.returncode == 2
    assert named == {name for name, bomb in BOMBS.items() if bomb.status == 503}


def test_many_bombs_at_once_do_not_keep_honest_requests_out(folder, tmp_path):
    """A fresh service is asked for all refused schemas at once, over and over."""
    refused = [name for name, bomb in BOMBS.items() if bomb.status == 503]
    (tmp_path / "sluiceway.yaml").write_text((folder / "sluiceway.yaml").read_text())
    with served(tmp_path, "--config", "sluiceway.yaml") as service:
        assert service.post(HONEST)[0] == 201
        busy = service.busy()
        with honest_requests(service) as times:
            for _ in range(3):
                status, _ = service.post([event_of(name) for name in refused])
                assert status == 503
        busy = service.busy() - busy
        count = service.get("/metrics")[1].decode()
    print(f"\nall at once: slowest honest request {max(times):.3f} s of {len(times)}")

    assert busy / 3 < LONGEST
    assert f"sluiceway_schemas_refused {len(refused)}.0" in count
