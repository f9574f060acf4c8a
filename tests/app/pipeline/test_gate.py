"""The gate: one outcome for each raw event, in order, whatever came in."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.core.errors import IntakeFailure, InvalidEvent, RecordRefused, SinkUnavailable
from app.core.events import Context, Delivery, RawEvent
from app.pipeline.decoders import as_object
from app.service import open_service
from app.settings import Settings
from app.sinks.memory import MemorySink

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
CONTEXT = Context(source="test", received_ms=1_700_000_000_000, client_ip="192.0.2.1")

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ALMOST_EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "$schema": st.sampled_from(["/demo/button/click/1.0.0", "/no/1.0.0", "/../x"]) | ANYTHING,
        "meta": st.fixed_dictionaries(
            {}, optional={"stream": st.sampled_from(["demo.button.click", "no"]) | ANYTHING}
        )
        | ANYTHING,
        "button": st.just("save") | ANYTHING,
        "http": ANYTHING,
    },
)


async def processed(raws, sink=None):
    sink = sink or MemorySink()
    async with open_service(Settings(), sink=sink) as service:
        return await service.process(raws, CONTEXT), sink.records


@settings(max_examples=60, deadline=None)
@given(st.lists(st.just(GOOD) | ALMOST_EVENTS | ANYTHING, max_size=12))
def test_there_are_exactly_as_many_outcomes_as_raw_events_in_order(payloads):
    raws = [RawEvent(payload) for payload in payloads]
    before = [repr(payload) for payload in payloads]

    outcomes, records = asyncio.run(processed(raws))

    assert [outcome.raw for outcome in outcomes] == raws
    assert [repr(raw.payload) for raw in raws] == before, "what came in was edited"
    stored = [r for r in records if r.stream != "sluiceway.error"]
    accepted = [o for o in outcomes if o.status == "success"]
    assert len(stored) == len(accepted)
    assert all(o.delivery is not None for o in accepted)
    refused = [o for o in outcomes if isinstance(o.error, InvalidEvent)]
    assert len(records) - len(stored) == len(refused)
    assert all(o.reason != "internal" for o in outcomes)


async def test_order_is_kept_between_accepted_and_refused_events():
    payloads = [GOOD | {"button": f"b{i}" if i % 3 else i} for i in range(250)]

    outcomes, records = await processed([RawEvent(p) for p in payloads])

    assert [o.status for o in outcomes] == ["success" if i % 3 else "invalid" for i in range(250)]
    stored = [json.loads(r.value)["button"] for r in records if r.stream == "demo.button.click"]
    assert stored == [f"b{i}" for i in range(250) if i % 3]


async def test_a_decoder_that_has_a_defect_loses_only_its_event(caplog):
    def decode(payload):
        if payload == "bad":
            message = "a defect"
            raise RuntimeError(message)
        return as_object(payload)

    async with open_service(Settings(), sink=MemorySink()) as service:
        raws = [RawEvent(GOOD), RawEvent("bad"), RawEvent(GOOD)]
        outcomes = await service.process(raws, CONTEXT, decode)

    assert [o.reason for o in outcomes] == ["accepted", "internal", "accepted"]
    assert "a defect" in caplog.text


async def test_an_error_of_the_sink_hits_only_the_records_it_names():
    def answer(record):
        return SinkUnavailable("No.") if b'"b1"' in record.value else None

    payloads = [GOOD | {"button": f"b{i}"} for i in range(3)]
    outcomes, _ = await processed([RawEvent(p) for p in payloads], MemorySink(answer=answer))

    assert [o.reason for o in outcomes] == ["accepted", "sink_unavailable", "accepted"]


async def test_a_failing_error_stream_changes_no_outcome(caplog):
    def answer(record):
        return SinkUnavailable("No.") if record.stream == "sluiceway.error" else None

    raws = [RawEvent(GOOD), RawEvent(7)]
    outcomes, records = await processed(raws, MemorySink(answer=answer))

    assert [o.reason for o in outcomes] == ["accepted", "malformed"]
    assert [r.stream for r in records] == ["demo.button.click"]
    assert "Error events could not be stored" in caplog.text


async def test_a_sink_that_answers_for_too_few_is_not_believed():
    class Careless(MemorySink):
        async def produce(self, records):
            return (await super().produce(records))[:-1]

    outcomes, _ = await processed([RawEvent(GOOD), RawEvent(GOOD)], Careless())

    assert [o.reason for o in outcomes] == ["unknown_delivery"] * 2
    assert all(isinstance(o.error, IntakeFailure) for o in outcomes)


async def test_failures_of_ours_make_no_error_events():
    sink = MemorySink(answer=lambda _record: SinkUnavailable("No."))

    outcomes, records = await processed([RawEvent(GOOD)], sink)

    assert [o.status for o in outcomes] == ["error"]
    assert records == []


async def test_nothing_is_written_for_an_empty_request():
    outcomes, records = await processed([])

    assert outcomes == []
    assert records == []


async def test_an_accepted_event_says_where_it_is():
    (outcome,), _ = await processed([RawEvent(GOOD)])

    assert isinstance(outcome.delivery, Delivery)
    assert outcome.delivery.durability == "acked"
    assert outcome.delivery.topic == "demo.button.click"
    assert outcome.stream == "demo.button.click"


@pytest.mark.parametrize("limit", [0, 100])
async def test_raw_events_on_the_error_stream_are_capped(limit):
    configured = Settings(error_stream={"max_raw_event": limit})
    sink = MemorySink()
    async with open_service(configured, sink=sink) as service:
        await service.process([RawEvent({"padding": "x" * 10_000})], CONTEXT)

    event = json.loads(sink.records[0].value)
    assert len(event.get("raw_event", "")) == limit


async def test_an_error_schema_with_fewer_fields_is_honoured(tmp_path):
    folder = tmp_path / "schemas" / "error"
    folder.mkdir(parents=True)
    names = ("$schema", "dt", "emitter_id", "message", "raw_event", "errored_stream_name")
    document = {
        "title": "error",
        "$id": "/error/2.0.0",
        "type": "object",
        "additionalProperties": False,
        "required": ["$schema", "dt", "emitter_id", "message", "meta"],
        "properties": {name: {"type": "string"} for name in names}
        | {"meta": {"type": "object", "required": ["stream"]}},
    }
    (folder / "2.0.0.yaml").write_text(json.dumps(document))
    (tmp_path / "streams.yaml").write_text("a: {schema_title: a}")
    configured = Settings(
        schemas={"base_uris": [str(tmp_path / "schemas")]},
        streams={"uri": str(tmp_path / "streams.yaml")},
        error_stream={"name": "my.errors", "schema_uri": "/error/2.0.0"},
        service_name="intake",
    )
    sink = MemorySink()
    async with open_service(configured, sink=sink) as service:
        await service.process([RawEvent({"meta": {"stream": "nope"}})], CONTEXT)

    event = json.loads(sink.records[0].value)
    assert sink.records[0].stream == "my.errors"
    assert event["errored_stream_name"] == "nope"
    assert event["emitter_id"] == "intake"
    assert "reason" not in event


async def test_without_an_error_stream_refusals_are_only_told():
    sink = MemorySink()
    async with open_service(Settings(error_stream={"name": None}), sink=sink) as service:
        (outcome,) = await service.process([RawEvent(7)], CONTEXT)

    assert outcome.reason == "malformed"
    assert sink.records == []


async def test_what_the_sink_refuses_for_good_is_invalid_and_told_about():
    def answer(record):
        return RecordRefused("Never.") if b'"no"' in record.value else None

    sink = MemorySink(answer=lambda r: answer(r) if r.stream == "demo.button.click" else None)

    outcomes, records = await processed(
        [RawEvent(GOOD), RawEvent(GOOD | {"button": "no"}), RawEvent(GOOD)], sink
    )

    assert [o.reason for o in outcomes] == ["accepted", "record_refused", "accepted"]
    (told,) = [json.loads(r.value) for r in records if r.stream == "sluiceway.error"]
    assert told["reason"] == "record_refused"


async def test_a_sink_that_refuses_error_events_too_ends_there():
    sink = MemorySink(answer=lambda _: RecordRefused("Never."))

    outcomes, records = await processed([RawEvent(GOOD), RawEvent(7)], sink)

    assert [o.reason for o in outcomes] == ["record_refused", "malformed"]
    assert records == []


async def test_hasty_events_go_to_the_sink_for_them():
    sink, hasty = MemorySink(), MemorySink()
    async with open_service(Settings(), sink=sink) as service:
        service.pipeline.hasty_sink = hasty
        await service.process([RawEvent(GOOD)], CONTEXT)
        await service.process([RawEvent(GOOD)] * 2, replace(CONTEXT, hasty=True))

    assert (len(sink.records), len(hasty.records)) == (1, 2)
