import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy import LegacyAdapter, LegacyError, Mapping
from legacy.formats import LineFormat
from legacy.translate import NOT_KEPT

RECEIVED = "2024-02-03T04:05:06.789Z"
MAPPING = Mapping.parse(
    {
        "schemas": {
            "Clicks": {
                "schema_uri": "/analytics/legacy/clicks/1.1.0",
                "revisions": {42: "1.0.0"},
            }
        }
    }
)


@pytest.fixture
def adapter():
    return LegacyAdapter(MAPPING)


def query_of(capsule):
    return quote(json.dumps(capsule)).encode() + b";"


def test_a_beacon_becomes_a_modern_body_and_offers():
    adapter = LegacyAdapter(MAPPING, host="intake1")
    capsule = {
        "event": {"button": "save"},
        "schema": "Clicks",
        "revision": 43,
        "webHost": "www.example.org",
        "wiki": "examplewiki",
        "userAgent": "MediaWiki/1.31",
        "dt": "2018-01-02T03:04:05",
        "clientIp": "198.51.100.7",
        "recvFrom": "client",
    }

    body, offers = adapter.beacon(query_of(capsule), received_dt=RECEIVED)

    assert body == {
        "$schema": "/analytics/legacy/clicks/1.1.0",
        "meta": {"stream": "eventlogging_Clicks"},
        "event": {"button": "save"},
        "schema": "Clicks",
        "revision": 43,
        "webHost": "www.example.org",
        "wiki": "examplewiki",
    }
    assert offers == {
        "meta.domain": "www.example.org",
        "dt": RECEIVED,
        "client_dt": "2018-01-02T03:04:05.000Z",
        "http.request_headers.user-agent": "MediaWiki/1.31",
        "recvFrom": "intake1",
    }


@pytest.mark.parametrize(
    ("revision", "version"), [(42, "1.0.0"), (43, "1.1.0"), (-1, "1.1.0"), (42.0, "1.1.0")]
)
def test_the_revision_may_choose_the_schemas_version(adapter, revision, version):
    query = query_of({"schema": "Clicks", "revision": revision})

    body, _ = adapter.beacon(query, received_dt=RECEIVED)

    assert body["$schema"] == f"/analytics/legacy/clicks/{version}"


def test_a_pin_of_revision_one_is_not_chosen_by_true():
    mapping = Mapping.parse({"schemas": {"Clicks": {"revisions": {1: "1.0.0"}}}})

    body, _ = LegacyAdapter(mapping).beacon(
        query_of({"schema": "Clicks", "revision": True}), received_dt=RECEIVED
    )

    assert body["$schema"] == "/analytics/legacy/clicks/latest"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (b"", "malformed"),
        (b"%7B", "malformed"),
        (b"[];", "malformed"),
        (query_of({}), "missing_field"),
        (query_of({"schema": "Clicks\n"}), "missing_field"),
        (query_of({"schema": "Drags"}), "unmapped_schema"),
        (query_of({"schema": "../../etc/passwd"}), "unmapped_schema"),
    ],
)
def test_what_cannot_be_mapped_has_a_reason(adapter, query, reason):
    with pytest.raises(LegacyError) as caught:
        adapter.beacon(query, received_dt=RECEIVED)

    assert caught.value.reason == reason


def test_the_service_brings_its_own_json_parser():
    adapter = LegacyAdapter(MAPPING, loads=lambda text: {"schema": "Clicks", "of": text})

    body, _ = adapter.beacon(b"%22", received_dt=RECEIVED)

    assert body["of"] == b'"'


def test_no_host_is_offered_unless_there_is_one(adapter):
    _, offers = adapter.beacon(query_of({"schema": "Clicks"}), received_dt=RECEIVED)

    assert "recvFrom" not in offers


def test_a_capsule_as_json_means_what_the_same_beacon_means():
    adapter = LegacyAdapter(MAPPING, host="intake1")
    capsule = {"schema": "Clicks", "revision": 42, "event": {}, "ip": "192.0.2.1", "x": 1}

    as_json = adapter.capsule(capsule, received_dt=RECEIVED)

    assert as_json == adapter.beacon(query_of(capsule), received_dt=RECEIVED)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "malformed"),
        ("x", "malformed"),
        (None, "malformed"),
        ({}, "missing_field"),
        ({"schema": "Drags"}, "unmapped_schema"),
    ],
)
def test_json_that_is_no_capsule_of_ours_has_a_reason(adapter, value, reason):
    with pytest.raises(LegacyError) as caught:
        adapter.capsule(value, received_dt=RECEIVED)

    assert caught.value.reason == reason


LINE = '?%7B%22schema%22%3A%22Clicks%22%7D;\tcp1\t7\t2018-03-04T05:06:07\t192.0.2.1\t"Firefox"\n'


@pytest.mark.parametrize("line", [LINE, LINE.encode()])
def test_a_log_line_tells_when_where_and_from_whom_it_was_received(line):
    adapter = LegacyAdapter(MAPPING, host="intake1")

    body, offers = adapter.log_line(line, received_dt=RECEIVED)

    assert body == {
        "$schema": "/analytics/legacy/clicks/1.1.0",
        "meta": {"stream": "eventlogging_Clicks"},
        "schema": "Clicks",
        "event": {},
    }
    assert offers == {
        "dt": "2018-03-04T05:06:07.000Z",
        "client_dt": "2018-03-04T05:06:07.000Z",
        "recvFrom": "cp1",
        "http.client_ip": "192.0.2.1",
        "http.request_headers.user-agent": "Firefox",
        "meta.id": "62cc1f5d-84c6-5db1-9e39-54dfae772cee",
        "uuid": "62cc1f5d84c65db19e3954dfae772cee",
    }


def test_the_capsules_user_agent_stands_before_the_lines(adapter):
    query = query_of({"schema": "Clicks", "userAgent": "App/1"}).decode()
    line = LINE.replace(LINE.partition("\t")[0], f"?{query}")

    _, offers = adapter.log_line(line, received_dt=RECEIVED)

    assert offers["http.request_headers.user-agent"] == "App/1"


def test_a_line_of_another_format_is_read_with_that_format(adapter):
    line = '1 EventLogging {"schema":"Clicks","timestamp":1395000000,"recvFrom":"mw1"}'

    body, offers = adapter.log_line(
        line, received_dt=RECEIVED, form=LineFormat.parse("server-side")
    )

    assert body["schema"] == "Clicks"
    assert offers == {"dt": RECEIVED, "client_dt": "2014-03-16T20:00:00.000Z"}


@pytest.mark.parametrize("line", ["\ud800", "?\udc80", "é", ""])
def test_a_line_of_any_characters_raises_nothing_but_a_legacy_error(adapter, line):
    with pytest.raises(LegacyError):
        adapter.log_line(line, received_dt=RECEIVED)


def test_an_eventbus_event_is_put_into_the_modern_shape(adapter):
    event = {"meta": {"topic": "my.topic", "schema_uri": "my/schema/1"}, "n": 1}

    body, offers = adapter.eventbus(event)

    assert body == {"$schema": "/my/schema/1.0.0", "meta": {"stream": "my.topic"}, "n": 1}
    assert offers == {}


@pytest.mark.parametrize("name", ["Drags", None])
def test_what_is_told_of_a_refused_capsule_has_nothing_of_the_clients_address(adapter, name):
    secrets = {"clientIp": "a", "ip": "b", "uuid": "c", "recvFrom": "d", "http": {"client_ip": "e"}}
    capsule = {"schema": name, "event": {"n": 1}} | secrets

    with pytest.raises(LegacyError) as caught:
        adapter.beacon(query_of(capsule), received_dt=RECEIVED)

    assert caught.value.told == {"schema": name, "event": {"n": 1}}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["event", "revision", "webHost", "wiki", "x", *sorted(NOT_KEPT)])


@given(st.dictionaries(NAMES, VALUES), st.sampled_from(["Clicks", "Drags", "", None]))
def test_any_capsule_of_a_mapped_schema_comes_out(fields, name):
    query = query_of({**fields, "schema": name})

    try:
        body, _ = LegacyAdapter(MAPPING).beacon(query, received_dt=RECEIVED)
    except LegacyError:
        assert name != "Clicks"
    else:
        assert body["meta"] == {"stream": "eventlogging_Clicks"}
