import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.mapping import Target
from legacy.translate import NOT_KEPT, modern_body, offers_of

TARGET = Target("/analytics/legacy/clicks/1.0.0", "eventlogging_Clicks")
RECEIVED = "2024-02-03T04:05:06.789Z"
CAPSULE = {
    "event": {"button": "save"},
    "schema": "Clicks",
    "revision": 42,
    "webHost": "www.example.org",
    "wiki": "examplewiki",
}
HEAD = {"$schema": TARGET.schema_uri, "meta": {"stream": TARGET.stream}}

FIELDS = st.sampled_from([*sorted(NOT_KEPT), "event", "schema", "revision", "wiki", "webHost", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


def offers(**fields):
    return offers_of({**CAPSULE, **fields}, received_dt=RECEIVED, host=None)


def test_a_capsules_own_fields_are_kept():
    assert modern_body(CAPSULE, TARGET) == {**HEAD, **CAPSULE}


@pytest.mark.parametrize("name", sorted(NOT_KEPT - {"$schema", "meta"}))
def test_fields_that_are_ours_or_gone_are_dropped(name):
    assert modern_body({**CAPSULE, name: "of the client"}, TARGET) == {**HEAD, **CAPSULE}


@pytest.mark.parametrize("name", ["$schema", "meta"])
def test_the_clients_schema_uri_and_meta_are_replaced(name):
    sent = {**CAPSULE, name: {"stream": "elsewhere", "id": "x"}}

    assert modern_body(sent, TARGET) == {**HEAD, **CAPSULE}


@pytest.mark.parametrize("name", ["extra", "useragent", "clientip", "capsule", "__proto__"])
def test_an_unknown_field_is_kept_for_the_schema_to_refuse(name):
    assert modern_body({**CAPSULE, name: 1}, TARGET)[name] == 1


@pytest.mark.parametrize("event", [None, []])
def test_an_empty_event_is_an_object(event):
    assert modern_body({**CAPSULE, "event": event}, TARGET)["event"] == {}


def test_a_missing_event_is_an_empty_object():
    assert modern_body({"schema": "Clicks"}, TARGET)["event"] == {}


@pytest.mark.parametrize("event", ["x", "", 0, 1.5, True, False, [{}], [[]]])
def test_an_event_of_another_type_is_kept_for_the_schema_to_refuse(event):
    assert modern_body({**CAPSULE, "event": event}, TARGET)["event"] == event


@pytest.mark.parametrize("revision", ["42", None, True, 1.5, -1])
def test_a_revision_is_kept_whatever_it_is(revision):
    assert modern_body({**CAPSULE, "revision": revision}, TARGET)["revision"] == revision


def test_the_head_comes_first():
    assert list(modern_body(CAPSULE, TARGET))[:2] == ["$schema", "meta"]


@given(st.dictionaries(FIELDS, VALUES))
def test_no_capsule_is_edited_and_none_is_refused(capsule):
    before = copy.deepcopy(capsule)

    body = modern_body(capsule, TARGET)
    body["meta"]["id"] = "ours"
    offered = offers_of(capsule, received_dt=RECEIVED, host="intake1")

    assert repr(capsule) == repr(before)
    assert not (body.keys() - {"$schema", "meta"}) & NOT_KEPT
    assert offered["dt"] == RECEIVED
    assert offered["recvFrom"] == "intake1"


def test_the_time_of_receipt_and_the_web_host_are_offered():
    assert offers() == {"dt": RECEIVED, "client_dt": RECEIVED, "meta.domain": "www.example.org"}


@pytest.mark.parametrize("web_host", ["", None, 1, ["www.example.org"]])
def test_a_web_host_that_is_no_name_is_no_domain(web_host):
    assert "meta.domain" not in offers(webHost=web_host)


def test_a_capsule_without_web_host_has_no_domain():
    assert "meta.domain" not in offers_of({}, received_dt=RECEIVED, host=None)


@pytest.mark.parametrize(
    ("fields", "client_dt"),
    [
        ({"client_dt": "2018-01-02T03:04:05Z"}, "2018-01-02T03:04:05.000Z"),
        ({"dt": "2018-01-02T03:04:05+02:00"}, "2018-01-02T01:04:05.000Z"),
        ({"timestamp": 1514862245}, "2018-01-02T03:04:05.000Z"),
        ({"client_dt": 1, "dt": 2, "timestamp": 3}, "1970-01-01T00:00:01.000Z"),
        ({"client_dt": "x", "dt": 2, "timestamp": 3}, "1970-01-01T00:00:02.000Z"),
        ({"client_dt": None, "dt": [], "timestamp": 3}, "1970-01-01T00:00:03.000Z"),
        ({"client_dt": None, "dt": "x", "timestamp": {}}, RECEIVED),
    ],
)
def test_the_first_time_that_can_be_read_is_the_clients(fields, client_dt):
    assert offers(**fields)["client_dt"] == client_dt
    assert offers(**fields)["dt"] == RECEIVED


@pytest.mark.parametrize("user_agent", ["", "MediaWiki/1.31", "é" * 400])
def test_a_user_agent_of_the_capsule_is_offered(user_agent):
    assert offers(userAgent=user_agent)["http.request_headers.user-agent"] == user_agent


def test_a_long_user_agent_is_cut():
    assert offers(userAgent="é" * 401)["http.request_headers.user-agent"] == "é" * 400


@pytest.mark.parametrize("user_agent", [None, 1, {"browser_family": "X"}, ["x"]])
def test_a_user_agent_that_is_no_string_is_left_to_the_request(user_agent):
    assert "http.request_headers.user-agent" not in offers(userAgent=user_agent)
