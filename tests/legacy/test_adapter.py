import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy import LegacyAdapter, LegacyError, Mapping
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
