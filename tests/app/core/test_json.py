import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.json import (
    INTEGERS,
    MAX_DEPTH,
    JsonError,
    Unstorable,
    dumps,
    loads,
    loads_each,
    problem_of,
    text_of,
    values_in,
)

STORABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(INTEGERS.start, INTEGERS.stop - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def number_of(value):
    """How many values there are in one, but for itself."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(1 + number_of(each) for each in inner)


@given(STORABLE, st.integers(0, 20))
def test_no_text_holds_more_values_than_are_counted(value, enough):
    assert values_in(orjson.dumps(value), enough) >= number_of(value)


def test_values_are_counted_without_what_strings_hold_where_there_are_few():
    text = orjson.dumps({"a": "[,{" * 1_000, "b": [1, 2, 3]})

    assert values_in(text, 100) == 5
    assert values_in(text, 10_000) == 3_005


@given(STORABLE)
def test_whatever_can_be_stored_reads_back_equal(value):
    text = dumps(value)

    assert loads(text) == value
    assert loads_each(text) == value
    assert json.loads(text) == value


@given(st.integers())
def test_an_integer_is_kept_exactly_or_refused(value):
    text = str(value).encode()

    if value in INTEGERS:
        assert loads(text) == value
        assert isinstance(loads(text), int)
    else:
        with pytest.raises(JsonError):
            loads(text)


@given(st.binary(max_size=40))
def test_any_bytes_give_a_value_or_a_json_error(text):
    try:
        value = loads(text)
    except JsonError:
        return

    assert loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        (b'{"a": NaN}', "/a"),
        (b'{"a": [1, -Infinity]}', "/a/1"),
        (b'{"a/b": {"~": 1e400}}', "/a~1b/~0"),
        (b'{"n": 18446744073709551616}', "/n"),
        (b'{"n": -9223372036854775809}', "/n"),
        (b'{"n": %s}' % (b"1" * 5000), "/n"),
        (b'{"s": "cut \\ud83d"}', "/s"),
        (b'{"\\udc00": 1}', ""),
    ],
)
def test_what_no_consumer_can_read_back_is_refused_with_its_place(text, pointer):
    with pytest.raises(JsonError) as caught:
        loads(text)

    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    "text",
    [b"", b"  ", b"{", b"[1,]", b"{'a': 1}", b"\xff", b'"\xed\xa0\x80"', b"[" * 100_000, b"tru"],
)
def test_what_is_not_json_is_refused(text):
    for read in (loads, loads_each):
        with pytest.raises(JsonError):
            read(text)


def test_the_limits_of_64_bit_integers_keep_their_value():
    text = b"[18446744073709551615, -9223372036854775808, 9007199254740993]"

    assert loads(text) == [2**64 - 1, -(2**63), 2**53 + 1]


def test_long_runs_of_digits_that_are_no_integers_are_left_alone():
    text = b'["99999999999999999999", 0.12345678901234567890, 1e25]'

    assert loads_each(text) == ["99999999999999999999", 0.1234567890123456789, 1e25]


def test_of_a_repeated_key_the_last_one_counts_on_both_paths():
    assert loads(b'{"a": 1, "a": 2}') == {"a": 2}
    assert loads(b'\xef\xbb\xbf{"a": 1, "a": 2}') == {"a": 2}


def test_nul_and_all_of_unicode_are_kept():
    value = {"s": "\0 \u2028 \U0001f600 \x7f"}

    assert loads(dumps(value)) == value


def test_one_cut_emoji_does_not_lose_its_batch():
    good, bad, also_good = loads_each(b'[{"a": 1}, {"s": "\\ud83d"}, {"b": 2}]')

    assert good == {"a": 1}
    assert isinstance(bad, Unstorable)
    assert bad.problem.pointer == "/s"
    assert also_good == {"b": 2}


def test_nesting_is_allowed_up_to_the_limit_and_no_further():
    allowed = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    too_deep = "[" + allowed + "]"

    assert loads(allowed.encode()) == json.loads(allowed)
    with pytest.raises(JsonError, match="nested"):
        loads(too_deep.encode())
    with pytest.raises(JsonError, match="nested"):
        dumps(json.loads(too_deep))
    with pytest.raises(JsonError):
        dumps(orjson.loads("[" * 900 + "]" * 900))


def test_brackets_in_strings_are_no_nesting():
    value = {"s": "[" * 500}

    assert loads(dumps(value)) == value


@given(st.text(alphabet=st.characters(exclude_categories=())), st.integers(0, 50))
def test_text_for_people_is_never_longer_than_asked_and_always_utf8(text, limit):
    shown = text_of(text, limit)

    assert len(shown) <= limit
    shown.encode()


@pytest.mark.parametrize("value", [math.nan, {"a": "\ud800"}, b"\xff", Unstorable([2**70], None)])
def test_text_for_people_exists_for_any_value(value):
    assert text_of(value, 100)


def test_text_for_people_of_a_deeply_nested_value_says_so():
    value: list = []
    for _ in range(100_000):
        value = [value]

    assert "deep" in text_of(value, 100)
    while value:  # so that Python need not free it recursively
        value = value.pop()


def test_a_storable_value_has_no_problem():
    assert problem_of({"a": [1, 2.5, None, True, "x"]}) is None
