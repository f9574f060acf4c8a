import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core import json as app_json
from legacy.strictjson import MAX_DEPTH, loads

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
WORDS = (
    *("1", "-0", "1e400", "1E9", "NaN", "-Infinity", "true", "null", "\ufeff"),
    *("18446744073709551616", "-9223372036854775809"),
    *('"a"', '"b"', '"\\ud83d"', '"\\ud83d\\ude00"', '"\\u0000"'),
)
SCRAPS = st.lists(
    st.sampled_from([*"{}[],:é", *WORDS]),
    max_size=12,
).map("".join)


@given(VALUES, st.booleans())
def test_what_json_can_say_is_read_back(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert loads(text) == value
    assert loads(text.encode()) == value


@given(st.binary(max_size=200) | SCRAPS.map(str.encode))
@example(b'{"a":"\\ud83d","a":1}')
@example(b'"\xed\xa0\x80"')
def test_any_other_bytes_raise_a_value_error_and_nothing_else(data):
    with suppress(ValueError):
        loads(data)


@given(SCRAPS | VALUES.map(json.dumps))
@example("[" * 65 + "]" * 65)
@example("[" * 64 + "]" * 64)
@example("9" * 400 + "." + "0")
def test_its_verdict_is_that_of_the_modern_wire(text):
    data = text.removeprefix("\ufeff").encode()

    try:
        modern = app_json.loads(data)
    except ValueError:
        modern = ValueError

    try:
        ours = loads(data)
    except ValueError:
        ours = ValueError
    assert ours == modern


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        '{"a":-Infinity}',
        "1e400",
        "-1e400",
        "18446744073709551616",
        "-9223372036854775809",
        "9" * 5000,
        '"\\ud83d"',
        '"\\ude00\\ud83d"',
        '{"\\udc00":1}',
        "\ufeff{}",
        "\u00a0{}",
        "",
        "{}{}",
        "01",
        "'a'",
        '"\t"',
    ],
)
def test_what_not_every_consumer_reads_alike_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_the_ends_of_what_64_bits_hold_are_taken():
    assert loads("[-9223372036854775808,18446744073709551615]") == [-(2**63), 2**64 - 1]


def test_nul_and_pairs_of_surrogates_are_characters():
    assert loads('"\\u0000\\ud83d\\ude00"') == "\x00😀"


def test_of_a_key_given_twice_the_last_counts():
    assert loads('{"a":1,"a":2}') == {"a": 2}


def test_nesting_is_taken_to_the_limit_and_no_further():
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert json.dumps(loads(deepest)) == deepest
    with pytest.raises(ValueError, match="nested more than 64 deep"):
        loads(f"[{deepest}]")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_that_no_parser_survives_is_a_value_error(opening):
    with pytest.raises(ValueError, match=r"."):
        loads(opening * 200_000)
