"""The short way of a batch comes to what the long way does, event for event."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.events import Context, RawEvent
from app.pipeline.gate import Pipeline
from app.service import open_service
from app.settings import Settings
from app.sinks.memory import MemorySink

DRAFT = "https://json-schema.org/draft-07/schema#"
TEXT = {"type": "string"}
META = {"type": "object", "properties": {"stream": TEXT, "dt": TEXT, "id": TEXT, "domain": TEXT}}
HTTP = {
    "type": "object",
    "properties": {
        "client_ip": TEXT,
        "request_headers": {"type": "object", "additionalProperties": TEXT},
    },
}


def schema(title, **properties):
    return {
        "title": title,
        "$id": f"/{title}/1.0.0",
        "$schema": DRAFT,
        "type": "object",
        "required": ["n"],
        "properties": {"$schema": TEXT, "meta": META, "n": {"type": "integer"}} | properties,
    }


SCHEMAS = {
    "plain": schema("plain", http=HTTP),
    "closed": schema("closed") | {"additionalProperties": False},
    "defaults": schema("defaults", color={"type": "string", "default": "red"}),
    "agent": schema("agent", useragent={"type": "object"}, http=HTTP),
    "timeless": schema("timeless", meta={"type": "object"}),
    "analytics/legacy/old": schema("analytics/legacy/old", dt=TEXT, http=HTTP),
}
HEADERS = {"http.request_headers.user-agent": "user-agent", "meta.domain": "host"}
STREAMS = {
    "plain": {"schema_title": "plain", "enrich_fields_from_http_headers": HEADERS},
    "closed": {"schema_title": "closed"},
    "defaults": {"schema_title": "defaults"},
    "agent": {"schema_title": "agent", "enrich_useragent": True},
    "timeless": {"schema_title": "timeless"},
    "old": {"schema_title": "analytics/legacy/old"},
    "keyed": {"schema_title": "plain", "message_key_fields": {"n": "n"}},
    "reserved": {
        "schema_title": "plain",
        "producers": [{"subject": "somebody", "fields": {"n": [1, 2]}}],
    },
    "truncated": {"schema_title": "plain", "privacy": {"client_ip": "truncate"}},
    "withheld": {
        "schema_title": "plain",
        "enrich_fields_from_http_headers": HEADERS,
        "privacy": {"opt_out": "withhold"},
    },
    "/^any\\..*$/": {"schema_title": "plain"},
}
TITLES = {name: each["schema_title"] for name, each in STREAMS.items()} | {"any.thing": "plain"}
del TITLES["/^any\\..*$/"]

ODD = st.sampled_from(
    [
        None,
        1,
        "x",
        "\ud800",
        2**70,
        1e300,
        "y" * 3_000,
        [[[[]]]],
        {"a": {"b": {}}},
        {"client_ip": 1},
    ]
)
UUID_LENGTH = 36
DEEP: list[object] = []
for _ in range(70):
    DEEP = [DEEP]


TIMES = st.just("2020-01-01T00:00:00Z") | ODD
HTTPS = st.sampled_from(
    [{"client_ip": "198.51.100.7"}, {"client_ip": "no"}, {"request_headers": {"a": "b"}}, {}, None]
)


def changes(stream):
    """Each a thing that an event may have beside what is always right."""
    return st.one_of(
        st.fixed_dictionaries({name: values})
        for name, values in {
            "n": ODD | st.integers(0, 3),
            "http": HTTPS | ODD,
            "more": st.just("y" * 3_000) | ODD | st.just(DEEP),
            "dt": TIMES,
            "color": st.just("blue"),
            "meta": ODD
            | st.fixed_dictionaries(
                {"stream": st.just(stream)}, optional={"id": ODD, "dt": TIMES, "domain": ODD}
            ),
            "$schema": ODD,
            "useragent": ODD,
        }.items()
    )


@st.composite
def batches(draw, home):
    """Events that are mostly alike, as those of a batch are, and differ in one thing or two."""
    events = []
    for _ in range(draw(st.integers(2, 6))):
        stream = home if draw(st.integers(0, 5)) else draw(st.sampled_from([*TITLES]))
        title = TITLES.get(stream, "plain") if draw(st.integers(0, 9)) else "closed"
        version = "1.0.0" if draw(st.integers(0, 5)) else draw(st.sampled_from(["latest", "9.0.0"]))
        event = {"$schema": f"/{title}/{version}", "meta": {"stream": stream}, "n": 1}
        for _ in range(draw(st.integers(0, 2))):
            event |= draw(changes(stream))
        events.append(event)
    return events


def context(header_values, subject=None):
    return Context("test", 1_700_000_000_123, "192.0.2.77", header_values.get, subject=subject)


AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
CONTEXTS = st.sampled_from(
    [
        context({}),
        context({"user-agent": AGENT, "host": "example.org"}, "somebody"),
        context({"user-agent": "x", "dnt": "1", "host": "example.org"}),
    ]
)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Yield a runner and a service with all these schemas and streams."""
    folder = tmp_path_factory.mktemp("shortcut")
    for title, document in SCHEMAS.items():
        place = folder / "schemas" / title
        place.mkdir(parents=True)
        (place / "1.0.0").write_text(json.dumps(document))
        (place / "latest").write_text(json.dumps(document))
    (folder / "streams.yaml").write_text(json.dumps(STREAMS))
    made = Settings.model_validate(
        {
            "schemas": {"base_uris": [str(folder / "schemas")]},
            "streams": {"uri": str(folder / "streams.yaml")},
            "error_stream": {"name": None},
            "http": {"max_event_size": 2_000},
        }
    )
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        sink = MemorySink()
        service = runner.run(stack.enter_async_context(open_service(made, sink=sink)))
        yield runner, service, sink
        runner.run(stack.aclose())


def told(outcome):
    error = outcome.error
    facts = (error.pointer, error.expected, error.got, str(error)) if error else ()
    return outcome.reason, outcome.stream, facts


def comparable(record):
    event = json.loads(record.value)
    meta = event.get("meta", {})
    if isinstance(meta.get("id"), str) and len(meta["id"]) == UUID_LENGTH:
        meta["id"] = "made here"
    text = json.dumps(event)  # with the order of its fields
    return text, record.stream, record.topic, record.key, record.timestamp_ms, record.schema_uri


def assert_alike(running, events, context):
    """Compare what becomes of events in one request with what becomes of them in one each."""
    runner, service, sink = running
    raws = [RawEvent(event) for event in events]

    async def one_by_one():
        return [outcome for raw in raws for outcome in await service.process([raw], context)]

    sink.records.clear()
    alone = [told(outcome) for outcome in runner.run(one_by_one())]
    alone_stored = [comparable(record) for record in sink.records]
    sink.records.clear()
    together = [told(outcome) for outcome in runner.run(service.process(raws, context))]

    assert together == alone
    assert [comparable(record) for record in sink.records] == alone_stored


@pytest.mark.parametrize("home", [*TITLES, "nobody's"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_batch_comes_to_what_its_events_come_to_one_by_one(running, home, data):
    assert_alike(running, data.draw(batches(home)), data.draw(CONTEXTS))


@pytest.mark.parametrize("headers", [{}, {"dnt": "1", "user-agent": "x"}])
@pytest.mark.parametrize("stream", TITLES)
def test_what_the_second_event_says_itself_is_treated_alike(running, stream, headers):
    plain = {"$schema": f"/{TITLES[stream]}/1.0.0", "meta": {"stream": stream}, "n": 1}
    others = [
        plain | {"meta": plain["meta"] | {"dt": "2020-01-01T00:00:00Z", "id": "mine"}},
        plain | {"http": {"client_ip": "198.51.100.7"}},
        plain | {"n": 3},
        plain | {"$schema": f"/{TITLES[stream]}/latest"},
    ]
    for other in others:
        assert_alike(running, [plain, other, plain], context(headers, "somebody"))


@pytest.mark.parametrize(
    ("stream", "of_three"),
    [("plain", 1), ("closed", 1), ("old", 1), ("any.thing", 1), ("keyed", 3), ("defaults", 3)],
)
def test_plain_events_after_the_first_go_the_short_way(running, monkeypatch, stream, of_three):
    runner, service, _ = running
    admitted = []
    admit = Pipeline._admit

    async def counted(self, event, context, search):
        admitted.append(event)
        return await admit(self, event, context, search)

    monkeypatch.setattr(Pipeline, "_admit", counted)
    event = {"$schema": f"/{TITLES[stream]}/1.0.0", "meta": {"stream": stream}, "n": 1}

    outcomes = runner.run(service.process([RawEvent(event)] * 3, context({})))

    assert [outcome.status for outcome in outcomes] == ["success"] * 3
    assert len(admitted) == of_three


async def test_where_the_times_of_clients_are_kept_they_are():
    sink = MemorySink()
    event = {"$schema": "/demo/button/click/1.0.0", "meta": {"stream": "demo.button.click"}}
    event |= {"button": "save"}
    own = event | {"meta": event["meta"] | {"dt": "2020-01-01T00:00:00Z"}}

    async with open_service(Settings.model_validate({"meta_dt": "client"}), sink=sink) as service:
        await service.process([RawEvent(event), RawEvent(own)], context({}))

    assert [record.timestamp_ms for record in sink.records] == [
        1_700_000_000_123,
        1_577_836_800_000,
    ]
    assert json.loads(sink.records[1].value)["meta"]["dt"] == "2020-01-01T00:00:00Z"
