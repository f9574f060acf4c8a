import asyncio
import gzip
import json
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import SinkUnavailable, UnknownDelivery
from app.sinks.memory import MemorySink
from app.web.inflate import zstd

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
BAD = GOOD | {"button": 7}


def body_is_safe_for_eventbus(body: bytes) -> bool:
    """MediaWiki's client maps over every value, and passes each item's event to a ?array."""
    if not body:
        return True
    value = json.loads(body)
    return isinstance(value, dict) and all(
        part is None
        or (
            isinstance(part, list)
            and all(
                isinstance(item, dict) and isinstance(item.get("event"), dict | None)
                for item in part
            )
        )
        for part in value.values()
    )


async def test_one_event_is_stored_and_answered_201_without_a_body(client):
    answer = await client.post("/v1/events", json=GOOD)

    assert answer.status_code == 201
    assert answer.content == b""
    (stored,) = client.journal.stored
    assert stored["button"] == "save"


async def test_an_array_is_stored_event_by_event_in_order(client):
    batch = [GOOD | {"button": f"b{i}"} for i in range(250)]

    answer = await client.post("/v1/events", json=batch)

    assert answer.status_code == 201
    assert [event["button"] for event in client.journal.stored] == [f"b{i}" for i in range(250)]


async def test_a_mixed_batch_is_accepted_event_by_event(client):
    unknown_stream = GOOD | {"meta": {"stream": "no.such.stream"}}
    unknown_schema = GOOD | {"$schema": "/no/such/1.0.0"}

    answer = await client.post("/v1/events", json=[GOOD, BAD, unknown_stream, unknown_schema, 7])

    assert answer.status_code == 207
    body = answer.json()
    assert [(item["index"], item["reason"]) for item in body["invalid"]] == [
        (1, "schema_violation"),
        (2, "unknown_stream"),
        (3, "schema_not_found"),
        (4, "malformed"),
    ]
    assert body["error"] == []
    assert [item["event"] for item in body["invalid"]] == [
        BAD,
        unknown_stream,
        unknown_schema,
        None,
    ]
    assert len(client.journal.stored) == 1
    assert [event["reason"] for event in client.journal.errors] == [
        "schema_violation",
        "unknown_stream",
        "schema_not_found",
        "malformed",
    ]


async def test_a_violation_says_where_what_and_how_to_mend_it(client):
    answer = await client.post("/v1/events", json=BAD | {"meta": GOOD["meta"] | {"id": "x-1"}})

    assert answer.status_code == 400
    (item,) = answer.json()["invalid"]
    assert item["status"] == "invalid"
    assert item["id"] == "x-1"
    assert item["pointer"] == "/button"
    assert "string" in item["expected"]
    assert "7" in item["got"]
    assert item["hint"]
    (error,) = item["context"]["errors"]
    assert error["keyword"] == "type"
    assert error["dataPath"] == ".button"
    assert error["schemaPath"] == "#/properties/button/type"
    assert error["message"] == "should be string"
    assert error["pointer"] == "/button"
    assert item["context"]["errorsText"] == "'.button' should be string"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no body"),
        (b"   ", "no body"),
        (b"[]", "empty"),
        (b"{", "not JSON"),
        (b"nope", "not JSON"),
        (b"\xff\xfe{}", "UTF-8"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "nested"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_as_a_whole(client, body, says):
    answer = await client.post(
        "/v1/events", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 400
    (item,) = answer.json()["invalid"]
    assert item["reason"] == "malformed"
    assert item["index"] is None
    assert says in item["context"]["message"]
    assert body_is_safe_for_eventbus(answer.content)
    (error,) = client.journal.errors
    assert error["reason"] == "malformed"


@pytest.mark.parametrize("body", [b"7", b"null", b'"text"', b"true", b"NaN", b"{}", b"[[]]"])
async def test_what_is_no_event_is_refused(client, body):
    answer = await client.post("/v1/events", content=body)

    assert answer.status_code == 400
    assert body_is_safe_for_eventbus(answer.content)
    assert client.journal.stored == []


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"18446744073709551616", b"-1e999"]
)
async def test_numbers_that_no_consumer_can_represent_are_refused_alone(client, number):
    bad = json.dumps(GOOD).encode()[:-1] + b', "count": %s}' % number
    body = b"[%s, %s]" % (bad, json.dumps(GOOD).encode())

    answer = await client.post("/v1/events", content=body)

    assert answer.status_code == 207
    (item,) = answer.json()["invalid"]
    assert (item["index"], item["reason"], item["pointer"]) == (0, "malformed", "/count")
    assert len(client.journal.stored) == 1


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1])
async def test_integers_beyond_2_53_keep_their_exact_value(serving, tmp_path, number):
    async with serving(**open_repository(tmp_path)) as client:
        event = {"$schema": "/any/thing/1.0.0", "meta": {"stream": "any.thing"}, "n": number}

        answer = await client.post("/v1/events", content=json.dumps(event))

        assert answer.status_code == 201
        assert client.journal.stored[0]["n"] == number


@given(value=st.dictionaries(st.text(max_size=5), st.integers() | st.floats() | st.text()))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_is_stored_as_it_was_sent_or_refused(serving, tmp_path, value):
    event = {"$schema": "/any/thing/1.0.0", "meta": {"stream": "any.thing"}, "v": value}

    async def send():
        async with serving(**open_repository(tmp_path)) as client:
            answer = await client.post("/v1/events", content=json.dumps(event))
            return answer, client.journal.stored

    answer, stored = asyncio.run(send())
    assert answer.status_code in (201, 400)
    assert [e["v"] for e in stored] == ([value] if answer.status_code == 201 else [])
    assert body_is_safe_for_eventbus(answer.content)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "text/plain;charset=UTF-8",
        "text/plain",
        "application/reports+json",
        'application/json; charset="utf-8"',
        None,
    ],
)
async def test_content_types_that_carry_events(client, content_type):
    headers = {"content-type": content_type} if content_type else {}

    answer = await client.post("/v1/events", content=json.dumps(GOOD), headers=headers)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-16",
        "text/plain; charset=latin-1",
        "application/x-www-form-urlencoded",
        "application/cloudevents+json",
        "multipart/form-data; boundary=x",
        "x",
    ],
)
async def test_other_content_types_and_charsets_are_415(client, content_type):
    answer = await client.post(
        "/v1/events", content=json.dumps(GOOD), headers={"content-type": content_type}
    )

    assert answer.status_code == 415
    (item,) = answer.json()["invalid"]
    assert item["reason"] == "unsupported_media"
    assert item["hint"]
    assert body_is_safe_for_eventbus(answer.content)


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda text: zlib.compress(text, wbits=-15)),
        ("zstd", zstd.compress),
        ("identity", bytes),
    ],
)
async def test_compressed_bodies_are_inflated(client, encoding, compress):
    body = compress(json.dumps([GOOD] * 50).encode())

    answer = await client.post("/v1/events", content=body, headers={"content-encoding": encoding})

    assert answer.status_code == 201
    assert len(client.journal.stored) == 50


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "compress", "gzip;q=1"])
async def test_other_encodings_are_415(client, encoding):
    answer = await client.post("/v1/events", content=b"x", headers={"content-encoding": encoding})

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b""),
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b"{}")[:-4]),
        ("gzip", gzip.compress(b"{}") + b"more"),
        ("deflate", b"\x78\x9c"),
        ("zstd", zstd.compress(b"{}" * 100)[:-3]),
        ("zstd", b"not zstd"),
    ],
)
async def test_damaged_compression_is_400(client, encoding, body):
    answer = await client.post("/v1/events", content=body, headers={"content-encoding": encoding})

    assert answer.status_code == 400
    assert answer.json()["invalid"][0]["reason"] == "malformed"


async def test_a_body_may_have_10_mib_and_no_more(client):
    padding = b" " * (10 * 1024 * 1024 - len(json.dumps(GOOD)))

    largest = await client.post("/v1/events", content=json.dumps(GOOD).encode() + padding)
    too_large = await client.post("/v1/events", content=json.dumps(GOOD).encode() + padding + b" ")

    assert largest.status_code == 201
    assert too_large.status_code == 413
    assert too_large.json()["invalid"][0]["reason"] == "too_large"
    assert too_large.headers["connection"] == "close"


async def test_a_body_without_a_length_is_cut_off_at_the_limit(client):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1024 * 1024

    answer = await client.post("/v1/events", content=endless())

    assert answer.status_code == 413
    assert sent < 25


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd.compress)],
)
async def test_a_bomb_is_413_before_it_is_inflated(client, encoding, compress):
    bomb = compress(b" " * 100 * 1024 * 1024)

    answer = await client.post("/v1/events", content=bomb, headers={"content-encoding": encoding})

    assert answer.status_code == 413


async def test_an_event_over_1_mib_is_refused_alone(client):
    large = GOOD | {"button": "x" * 1_100_000}

    alone = await client.post("/v1/events", json=large)
    beside = await client.post("/v1/events", json=[large, GOOD])

    assert alone.status_code == 413
    assert beside.status_code == 207
    assert beside.json()["invalid"][0]["reason"] in ("too_large", "schema_violation")
    assert len(client.journal.stored) == 1


async def test_more_events_than_allowed_are_refused_as_a_whole(serving):
    async with serving(http={"max_events": 3}) as client:
        answer = await client.post("/v1/events", json=[GOOD] * 4)

        assert answer.status_code == 413
        assert client.journal.stored == []


@pytest.mark.parametrize("value", ["1", "true", "yes", "", "TRUE"])
async def test_hasty_is_answered_202_and_processed_all_the_same(client, value):
    answer = await client.post(f"/v1/events?hasty={value}", json=[GOOD, BAD])

    assert answer.status_code == 202
    assert answer.json() == {"durability": "none"}
    assert len(client.journal.stored) == 1
    assert len(client.journal.errors) == 1


@pytest.mark.parametrize("value", ["0", "false", "no"])
async def test_not_hasty_is_not_hasty(client, value):
    answer = await client.post(f"/v1/events?hasty={value}", json=BAD)

    assert answer.status_code == 400


@pytest.mark.parametrize("query", ["hasty=maybe", "hasty=1&hasty=0", "hasty=%ff"])
async def test_a_query_that_cannot_be_read_is_400(client, query):
    answer = await client.post(f"/v1/events?{query}", json=GOOD)

    assert answer.status_code == 400
    assert body_is_safe_for_eventbus(answer.content)


async def test_hasty_still_refuses_what_is_no_json(client):
    assert (await client.post("/v1/events?hasty=true", content=b"{")).status_code == 400


async def test_stream_and_schema_may_come_from_the_query_where_settings_allow(serving):
    event = {"button": "save"}
    query = "schema_uri=/demo/button/click/1.0.0&stream=demo.button.click"
    http = {"schema_uri_query_param": "schema_uri", "stream_query_param": "stream"}

    async with serving() as client:
        refused = await client.post(f"/v1/events?{query}", json=event)
    async with serving(http=http) as client:
        taken = await client.post(f"/v1/events?{query}", json=[event, GOOD | {"button": "own"}])
        stored = client.journal.stored

    assert refused.status_code == 400
    assert refused.json()["invalid"][0]["reason"] == "missing_field"
    assert taken.status_code == 201
    assert stored[0]["$schema"] == "/demo/button/click/1.0.0"
    assert stored[0]["meta"]["stream"] == "demo.button.click"


@pytest.mark.parametrize("path", ["/v1/events/", "/V1/EVENTS", "/v1/Events/"])
async def test_spellings_of_the_path_that_eventgate_took_are_taken(client, path):
    assert (await client.post(path, json=GOOD)).status_code == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods_are_405_and_say_what_is_allowed(client, method):
    answer = await client.request(method, "/v1/events")

    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert body_is_safe_for_eventbus(answer.content)


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "DELETE"])
async def test_a_body_that_nobody_reads_ends_the_connection(client, method):
    answer = await client.request(method, "/v1/events", content=b"[]")

    assert answer.headers["connection"] == "close"
    assert "connection" not in (await client.request(method, "/v1/events")).headers


async def test_an_error_of_the_sink_is_503_with_retry_after(serving):
    sink = MemorySink(answer=lambda _record: SinkUnavailable("The disk is full."))
    async with serving(sink=sink) as client:
        answer = await client.post("/v1/events", json=GOOD)

        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert answer.json() == {
            "invalid": [],
            "error": [
                {
                    "status": "error",
                    "reason": "sink_unavailable",
                    "index": 0,
                    "id": None,
                    "event": GOOD,
                    "context": {"message": "The disk is full."},
                }
            ],
        }
        assert body_is_safe_for_eventbus(answer.content)


async def test_an_unknown_delivery_is_504(serving):
    sink = MemorySink(answer=lambda _record: UnknownDelivery("Who knows."))
    async with serving(sink=sink) as client:
        answer = await client.post("/v1/events", json=[GOOD, BAD])

        assert answer.status_code == 504
        assert [e["reason"] for e in answer.json()["error"]] == ["unknown_delivery"]
        assert [e["reason"] for e in answer.json()["invalid"]] == ["schema_violation"]


async def test_a_sink_that_never_answers_is_504_after_the_deadline(serving):
    class Silent(MemorySink):
        async def produce(self, records):
            await asyncio.Event().wait()

    async with serving(sink=Silent(), http={"produce_timeout": 0.05}) as client:
        answer = await client.post("/v1/events", json=GOOD)

        assert answer.status_code == 504
        assert answer.json()["error"][0]["reason"] == "unknown_delivery"


async def test_a_defect_is_500_and_its_body_is_safe(serving, caplog):
    class Broken(MemorySink):
        async def produce(self, records):
            message = "a defect"
            raise RuntimeError(message)

    async with serving(sink=Broken()) as client:
        answer = await client.post("/v1/events", json=GOOD)

        assert answer.status_code == 504
        assert body_is_safe_for_eventbus(answer.content)
        assert "defect" in caplog.text


async def test_too_many_bytes_in_work_are_503_until_there_is_room(serving):
    gate = asyncio.Event()
    arrived = asyncio.Event()

    class Slow(MemorySink):
        async def produce(self, records):
            arrived.set()
            await gate.wait()
            return await super().produce(records)

    async with serving(sink=Slow(), http={"max_pending_size": 4 * 1024 * 1024}) as client:
        large = [GOOD | {"button": "x" * 60_000}] * 60
        waiting = asyncio.create_task(client.post("/v1/events", json=large))
        await arrived.wait()

        refused = await client.post("/v1/events", json=large)
        gate.set()
        first = await waiting
        again = await client.post("/v1/events", json=GOOD)

        assert refused.status_code == 503
        assert refused.json()["error"][0]["reason"] == "overloaded"
        assert first.status_code in (201, 400)
        assert again.status_code == 201


async def test_bytes_that_are_still_coming_count_as_in_work(serving):
    mib = b" " * 1024 * 1024
    arrived = asyncio.Event()
    leave = asyncio.Event()

    async def slow():
        for _ in range(3):
            yield mib
        arrived.set()
        await leave.wait()
        yield json.dumps(GOOD).encode()

    async with serving(http={"max_pending_size": 4 * 1024 * 1024}) as client:
        coming = asyncio.create_task(client.post("/v1/events", content=slow()))
        await arrived.wait()
        refused = await client.post("/v1/events", content=mib + mib)
        gauge = (await client.get("/metrics")).text
        leave.set()

        assert refused.status_code == 503
        assert refused.json()["error"][0]["reason"] == "overloaded"
        assert "sluiceway_pending_body_bytes 3.145728e+06" in gauge
        assert (await coming).status_code == 201
        assert "sluiceway_pending_body_bytes 0.0" in (await client.get("/metrics")).text


async def test_an_answer_repeats_no_more_than_about_a_mebibyte(client):
    large = BAD | {"padding": "x" * 100_000}

    answer = await client.post("/v1/events", json=[large] * 90)

    items = answer.json()["invalid"]
    assert len(items) == 90
    assert items[0]["event"] == large
    assert items[-1]["event"] is None
    assert len(answer.content) < 2_000_000


async def test_the_error_stream_is_for_the_service_alone(client):
    forged = {
        "$schema": "/sluiceway/error/1.0.0",
        "meta": {"stream": "sluiceway.error"},
        "dt": "2024-01-01T00:00:00Z",
        "emitter_id": "me",
        "message": "forged",
    }

    answer = await client.post("/v1/events", json=forged)

    assert answer.status_code == 400
    assert answer.json()["invalid"][0]["reason"] == "stream_reserved"
    (error,) = client.journal.errors
    assert error["reason"] == "stream_reserved"


async def test_the_event_of_a_client_that_says_latest_names_the_version_that_judged_it(
    serving, tmp_path
):
    async with serving(**open_repository(tmp_path)) as client:
        for spelling in ("latest", "1.0.0.yaml", "1.0.0"):
            event = {"$schema": f"/any/thing/{spelling}", "meta": {"stream": "any.thing"}}

            answer = await client.post("/v1/events", json=event)

            assert answer.status_code == 201
        assert {e["$schema"] for e in client.journal.stored} == {"/any/thing/1.0.0"}
        assert client.app._app.state.service.schemas.cached <= 2  # this one, and error events'


def open_repository(folder):
    """Settings of a service whose one stream takes any object."""
    schemas = folder / "schemas" / "any" / "thing"
    if not schemas.exists():
        schemas.mkdir(parents=True)
        text = json.dumps({"title": "any/thing", "$id": "/any/thing/1.0.0", "type": "object"})
        (schemas / "1.0.0.yaml").write_text(text)
        (schemas / "latest.yaml").write_text(text)
        (folder / "streams.yaml").write_text("any.thing: {schema_title: any/thing}")
    return {
        "schemas": {"base_uris": [str(folder / "schemas")]},
        "streams": {"uri": str(folder / "streams.yaml")},
    }
