import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import RateLimited, SchemaViolation, Violation, reasons
from app.core.events import Delivery, Event, Outcome, RawEvent
from app.web.replies import plain_failure, reply_of, reply_of_refusal

VIOLATION = Violation("/a", "type", "should be string", "string", "7", "Send a string.")


def error_of(reason):
    kind = reasons()[reason]
    return kind("/x", [VIOLATION]) if kind is SchemaViolation else kind("No.")


def outcome(reason="accepted", payload=None, durability="acked"):
    raw = RawEvent({} if payload is None else payload)
    if reason == "accepted":
        return Outcome(raw, Event(raw, {}), "s", Delivery(durability, "s", 0, 0), None)
    return Outcome(raw, None, None, None, error_of(reason))


@pytest.mark.parametrize(
    ("reasons", "status"),
    [
        (["accepted"], 201),
        (["accepted", "malformed"], 207),
        (["accepted", "sink_unavailable"], 207),
        (["malformed", "unknown_stream"], 400),
        (["too_large"], 413),
        (["too_large", "malformed"], 400),
        (["unsupported_media"], 415),
        (["credentials_missing"], 401),
        (["credentials_missing", "malformed"], 400),
        (["producer_not_allowed", "value_not_allowed"], 403),
        (["accepted", "credentials_missing"], 207),
        (["identity_unavailable"], 503),
        (["sink_unavailable"], 503),
        (["sink_unavailable", "malformed"], 503),
        (["schema_unavailable"], 503),
        (["overloaded"], 503),
        (["unknown_delivery"], 504),
        (["unknown_delivery", "sink_unavailable"], 504),
        (["internal"], 500),
        (["internal", "malformed"], 500),
        (["internal", "overloaded"], 503),
    ],
)
def test_the_status_tells_the_worst_that_the_caller_must_know(reasons, status):
    reply = reply_of([outcome(reason) for reason in reasons])

    assert reply.status == status
    assert (b"retry-after" in dict(reply.headers)) == (status == 503)


def test_whoever_sends_too_much_waits_for_as_long_as_the_longest_wait():
    raw = RawEvent({})
    limits = [RateLimited("No.", retry_after=seconds) for seconds in (3, 17)]

    reply = reply_of([Outcome(raw, None, None, None, error) for error in limits])

    assert reply.status == 429
    assert dict(reply.headers)[b"retry-after"] == b"17"


@pytest.mark.parametrize(
    ("reason", "challenge"),
    [
        ("credentials_missing", b'Bearer realm="sluiceway"'),
        ("credentials_refused", b'Bearer realm="sluiceway", error="invalid_token"'),
        ("producer_not_allowed", None),
    ],
)
def test_a_challenge_says_how_to_prove_who_one_is(reason, challenge):
    reply = reply_of([outcome(reason)])

    assert dict(reply.headers).get(b"www-authenticate") == challenge


def test_spooled_events_are_202_and_counted():
    reply = reply_of([outcome(), outcome(durability="spooled")])

    assert reply.status == 202
    assert json.loads(reply.body) == {"durability": "spooled", "spooled": 1, "acked": 1}


def test_a_mixed_answer_names_what_is_only_spooled():
    reply = reply_of([outcome(), outcome("malformed"), outcome(durability="spooled")])

    body = json.loads(reply.body)
    assert reply.status == 207
    assert [entry["index"] for entry in body["invalid"]] == [1]
    assert body["spooled"] == [{"status": "success", "index": 2, "id": None, "event": None}]


def test_a_mixed_answer_without_spooled_events_does_not_speak_of_them():
    body = json.loads(reply_of([outcome(), outcome("malformed")]).body)

    assert set(body) == {"invalid", "error"}


PAYLOADS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(
    st.lists(st.builds(outcome, st.sampled_from(["accepted", *reasons()]), PAYLOADS), min_size=1),
    st.booleans(),
)
def test_every_body_is_safe_for_clients_that_map_over_it(outcomes, whole):
    refused = [o for o in outcomes if o.error][:1]
    reply = reply_of_refusal(refused) if whole else reply_of(outcomes)

    if reply.status == 201:
        assert reply.body == b""
        return
    for items in json.loads(reply.body).values():
        assert isinstance(items, list)
        for item in items:
            assert isinstance(item["event"], dict | None)
            assert item["status"] in ("invalid", "error")
            assert item["reason"] in reasons()
            assert (item["index"] is None) == whole


def test_paths_of_violations_are_told_as_pointer_and_as_eventgates_clients_know_them():
    places = {
        "": "",
        "/meta/dt": ".meta.dt",
        "/items/0/n": ".items[0].n",
        "/$schema": ".$schema",
        "/odd-key/a~1b": "['odd-key']['a/b']",
    }
    error = SchemaViolation("/x", [Violation(p, "type", "m", "e", "g", "h") for p in places])
    reply = reply_of([Outcome(RawEvent({}), None, None, None, error)])

    (item,) = json.loads(reply.body)["invalid"]
    assert {e["pointer"]: e["dataPath"] for e in item["context"]["errors"]} == places


def test_an_answer_about_the_request_itself_has_the_same_safe_shape():
    body = json.loads(plain_failure(404, "Nothing here.").body)

    assert body == {
        "error": [{"status": "error", "event": None, "context": {"message": "Nothing here."}}]
    }
