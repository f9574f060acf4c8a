import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.strict import OldSchemas, StrictLegacy, StrictParser
from legacy.strict.lines import StrictFormat

SCHEMAS = {
    ("Test", 1): {"properties": {"value": {"type": "string", "required": True}}},
    ("Broken", 1): {"properties": {"value": {"type": "no such type"}}},
    ("Garbage", 1): {"properties": 5},
}
NOW = datetime(2019, 11, 5, tzinfo=UTC)
STRICT = StrictLegacy(
    StrictParser(StrictFormat.parse("2018-02")), OldSchemas(SCHEMAS), clock=lambda: NOW
)
GOOD = {"schema": "Test", "revision": 1, "wiki": "w", "event": {"value": "x"}}


def line_of(capsule):
    query = quote(json.dumps(capsule, separators=(",", ":")))
    return f'?{query};\tcp1\t7\t2018-03-04T05:06:07\t-\t"-"'


def test_a_good_line_is_published_to_its_schema_s_topic():
    judgement = STRICT.judge(line_of(GOOD))

    assert (judgement.status, judgement.code, judgement.error_event) == ("valid", None, None)
    assert judgement.topic == "eventlogging_Test"
    assert judgement.capsule == judgement.parsed
    assert judgement.capsule["uuid"] == "62cc1f5d84c65db19e3954dfae772cee"


def test_what_clients_said_of_their_own_checks_is_dropped():
    judgement = STRICT.judge(line_of({**GOOD, "clientValidated": False, "isTruncated": 5}))

    assert judgement.status == "valid"
    assert judgement.parsed["isTruncated"] == 5
    assert not {"clientValidated", "isTruncated"} & judgement.capsule.keys()


def test_an_invalid_capsule_is_told_about_as_json():
    judgement = STRICT.judge(line_of({**GOOD, "event": {}, "isTruncated": True}))

    assert (judgement.status, judgement.code) == ("invalid", "validation")
    raw = json.loads(judgement.error_event["rawEvent"])
    assert raw["event"] == {}
    assert "isTruncated" not in raw
    assert list(raw) == sorted(raw)
    assert (judgement.error_event["schema"], judgement.error_event["revision"]) == ("Test", 1)


@pytest.mark.parametrize(
    ("capsule", "schema"),
    [
        ({**GOOD, "schema": "Unknown"}, "Unknown"),
        ({**GOOD, "schema": "Broken"}, "Broken"),
        ({**GOOD, "schema": "Garbage"}, "Garbage"),
        ({**GOOD, "dt": "soon"}, "Test"),
        ({**GOOD, "userAgent": None}, "Test"),
        ([GOOD], "Test"),
    ],
)
def test_all_other_trouble_is_the_processor_s_and_told_with_the_line(capsule, schema):
    line = line_of(capsule)

    judgement = STRICT.judge(line)

    assert (judgement.status, judgement.code) == ("error", "processor")
    assert judgement.error_event["rawEvent"] == line
    assert (judgement.error_event["schema"], judgement.error_event["revision"]) == (schema, 1)


def test_of_an_event_with_an_odd_schema_uri_nothing_is_told():
    judgement = STRICT.judge(line_of({"meta": {"schema_uri": 5}}))

    assert (judgement.code, judgement.error_event) == ("processor", None)
    assert judgement.parsed["meta"] == {"schema_uri": 5}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["schema", "revision", "wiki", "event", "dt", "seqId", "timestamp", "userAgent", "meta"]
)


@given(st.text() | st.dictionaries(FIELDS, JSON).map(lambda extra: line_of({**GOOD, **extra})))
def test_every_line_is_judged(line):
    judgement = STRICT.judge(line)

    assert judgement.status in {"valid", "invalid", "error"}
    assert (judgement.status == "valid") == (judgement.capsule is not None)
    if judgement.capsule is not None:
        assert judgement.topic == f"eventlogging_{judgement.capsule['schema']}"


@pytest.mark.parametrize(
    "line",
    [
        "?" + "a" * 1_000_000,
        "?" + "a " * 500_000,
        "?a" + " " * 1_000_000,
        f"?a\tcp1\t{'7' * 1_000_000}\t2018",
        "?a\tcp1\t7\t2018-03-04T05:06:07\t" + " " * 1_000_000 + "\t",
        "?a\tcp1\t7\t2018-03-04T05:06:07\t" + "x\t" * 500_000,
        "?" + "%5B" * 300_000,
        "?" + "%22schema%22%3A%22" * 60_000,
    ],
    ids=range(8),
)
def test_a_megabyte_of_anything_is_judged_at_once(line):
    # With quadratic work each of these would take hours.
    assert STRICT.judge(line).status == "error"
