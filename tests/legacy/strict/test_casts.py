import json
import math
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.strict.casts import cast, decode_query
from legacy.strict.errors import LOSSES

NOW = datetime(2019, 11, 5, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        ("word", "x", "x"),
        ("word", None, "None"),
        ("text", {"a": 1}, "{'a': 1}"),
        ("number", "77", 77),
        ("number", " 12 ", 12),
        ("number", "\u0667", 7),
        ("number", 1.9, 1),
        ("number", True, 1),
        ("number", 2**70, 2**70),
        ("iso", 1514862245, "2018-01-02T03:04:05Z"),
        ("seconds", "2018-03-04T05:06:07", 1520139967),
        ("query", "?%7B%22value%22%3A1%7D;", {"value": 1}),
        ("json", '{"a":1}', {"a": 1}),
    ],
)
def test_values_are_cast_by_the_kind_of_their_column(kind, value, result):
    assert cast(kind, value, now=NOW) == result


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", None),
        ("number", "x"),
        ("number", []),
        ("number", math.inf),
        ("seconds", 1514862245),
        ("seconds", "2018-13-04T05:06:07"),
        ("iso", None),
        ("agent", {}),
        ("agent", "x" * 801),
        ("agent", "Foo WikipediaApp/1.0"),
        ("query", "x"),
        ("query", 1),
        ("json", {}),
    ],
)
def test_what_cannot_be_cast_loses_the_event(kind, value):
    with pytest.raises(LOSSES):
        cast(kind, value, now=NOW)


def test_agents_are_taken_apart():
    agent = cast("agent", '"MediaWiki/1.34"', now=NOW)

    assert (agent["is_bot"], agent["is_mediawiki"]) == (True, True)


@given(JSON, st.sampled_from([quote, quote_plus]), st.sampled_from(["", ";", ";;?"]))
def test_whatever_a_client_encodes_reads_back_equal(value, encode, end):
    assert decode_query(f"?{encode(json.dumps(value))}{end}") == value


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("%5B+1,%201%2B]", None),
        ("[NaN,-Infinity,1e400]", [math.nan, -math.inf, math.inf]),
        ("%22%zz%%22", "%zz%"),
        ("%22%5Cud83d%22", "\ud83d"),
    ],
)
def test_python_s_own_json_is_read(query, value):
    if value is None:
        with pytest.raises(ValueError, match="delimiter"):
            decode_query(query)
    else:
        assert repr(decode_query(query)) == repr(value)


@pytest.mark.parametrize("query", ["%22%FF%22", "%22%ED%A0%BD%22", "\ud83d", "%EF%BB%BF{}", ""])
def test_what_is_no_text_or_no_json_is_refused(query):
    with pytest.raises(ValueError, match=r"."):
        decode_query(query)
