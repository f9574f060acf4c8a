import json
import time
from urllib.parse import quote, quote_plus, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from legacy.beacon import capsule_of, unquote
from legacy.errors import LegacyError
from legacy.strictjson import loads

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
CAPSULES = st.dictionaries(
    st.text(),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    ),
    max_size=6,
)
PIECES = (
    *("%%", "%4", "%41", "%e9", "%C3%A9", "%zz", "%3D", "%3d", "%25", "%0A", "%0D", "%7B%7D"),
    *("=3D", "=\n", "%\n", "\r\n", "%\r"),
)
QUERIES = st.binary(max_size=120) | st.lists(
    st.sampled_from([*"=+_.a?;&%{}\n\r\x00", *PIECES]),
    max_size=20,
).map(lambda parts: "".join(parts).encode())


def compact(capsule):
    return json.dumps(capsule, ensure_ascii=False, separators=(",", ":"))


def as_browser(capsule):
    """Encode like encodeURIComponent(JSON.stringify(capsule))."""
    return quote(compact(capsule), safe="!~*'()")


def as_php(capsule):
    """Encode like rawurlencode(json_encode(capsule)): ASCII only, `~` bare."""
    return quote(json.dumps(capsule, separators=(",", ":")), safe="~")


def as_python(capsule):
    """Encode like quote_plus(json.dumps(capsule)): blanks after `:` and `,`, sent as `+`."""
    return quote_plus(json.dumps(capsule))


def as_load_test(capsule):
    """Encode like urllib's quote, which leaves `/` bare."""
    return quote(compact(capsule))


@given(
    CAPSULES,
    st.sampled_from([as_browser, as_php, as_python, as_load_test]),
    st.sampled_from(["", "?", "??"]),
    st.sampled_from(["", ";", ";;?", "&", ";&"]),
)
def test_every_capsule_is_read_back_however_a_client_encodes_it(capsule, encoded, before, after):
    query = f"{before}{encoded(capsule)}{after}".encode()

    assert capsule_of(query, loads) == capsule


@given(QUERIES)
@example(b"%7B%22a%22%3A%22%ED%A0%80%22%7D")
@example(b"%7B%22a%22:" + b"[" * 5000)
def test_any_other_bytes_raise_a_legacy_error_and_nothing_else(query):
    try:
        answer = capsule_of(query, loads)
    except LegacyError as error:
        answer = error

    assert isinstance(answer, dict) or (answer.reason == "malformed" and answer.hint)


@given(QUERIES)
@example(b"%\n%41")
@example(b"%\r\n%41")
@example(b"%\r%41%41\nx")
@example(b"=41%41")
@example(b"%%41")
@example(b"%4%41")
@example(b"%41%")
@example(b"a \t%20")
def test_unquoting_is_what_the_standard_library_does_but_for_blanks(query):
    assert unquote(query) == unquote_to_bytes(query.replace(b"+", b" "))


def test_every_byte_is_unquoted_from_its_escape_in_either_case():
    upper = "".join(f"%{byte:02X}" for byte in range(256)).encode()
    lower = "".join(f"%{byte:02x}" for byte in range(256)).encode()

    assert unquote(upper) == unquote(lower) == bytes(range(256))


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (b'{"a":"%zz"}', "%zz"),
        (b'{"a":"100%"}', "100%"),
        (b'{"a":"%u00e9"}', "%u00e9"),
        (b'{"a":"1%2B1+%3D+2"}', "1+1 = 2"),
        (b'{"a":"b=c&d;e?f"}', "b=c&d;e?f"),
        (b'{"a":"%2541"}', "%41"),
        (b'{"a":"_"}', "_"),
        (b'{"a":"%C3%A9"}', "é"),
        (b'{"a":"\xc3\xa9"}', "é"),
    ],
)
def test_odd_ways_to_write_a_character(query, value):
    assert capsule_of(query, loads) == {"a": value}


@pytest.mark.parametrize("query", [b"", b"?", b";", b"&", b"?;&;?"])
def test_an_empty_query_is_no_capsule(query):
    with pytest.raises(LegacyError, match="The query is empty") as caught:
        capsule_of(query, loads)

    assert caught.value.got == "nothing"


@pytest.mark.parametrize(
    ("query", "got"),
    [
        (b"%5B1%5D;", "an array"),
        (b"null", "null"),
        (b"%22x%22", "a string"),
        (b"true", "a boolean"),
        (b"1", "a number"),
    ],
)
def test_json_that_is_no_object_is_told_by_its_kind(query, got):
    with pytest.raises(LegacyError, match="not an object") as caught:
        capsule_of(query, loads)

    assert caught.value.got == got


@pytest.mark.parametrize("text", ["%FF", "%C3", "%ED%A0%BD", "%C0%AF", "\udce9"])
def test_what_is_not_utf_8_is_told_by_its_first_bad_byte(text):
    query = b'{"a":"' + text.encode("utf-8", "surrogateescape") + b'"}'

    with pytest.raises(LegacyError, match="not UTF-8") as caught:
        capsule_of(query, loads)

    bad = unquote(query)[6]
    assert caught.value.got.startswith(f"the byte 0x{bad:02X}, ")


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        (b"%257B%2522a%2522%253A1%257D", "encoded twice"),
        (b"_db=enwiki&_id=Foo&_ok=true;", "no parameters"),
        (b"data=%7B%7D", "no parameters"),
        (b"%7B%22event%22%3A%7B%22value%22%3A%22x", "The end is missing"),
        (b"%7B%22event%22%3A%7B%22value%22%3", "The end is missing"),
        (b"%7Bevent%3A1%7D;", "JSON library"),
    ],
)
def test_a_hint_names_the_likely_mistake(query, hint):
    with pytest.raises(LegacyError, match="not JSON") as caught:
        capsule_of(query, loads)

    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "query", [b"%7B%7D%3B", b"%7B%7D&cb=1", b"%7B%7D;%20;x", b"%EF%BB%BF%7B%7D"]
)
def test_delimiters_count_only_bare_and_at_the_ends(query):
    with pytest.raises(LegacyError, match="not JSON"):
        capsule_of(query, loads)


def test_what_the_parser_says_is_passed_on():
    class RefusalError(ValueError):
        pointer = "/event/n"

    def refuse(_text):
        raise RefusalError("A number is too large. " * 100)

    with pytest.raises(LegacyError) as caught:
        capsule_of(b"%7B%7D", refuse)

    assert caught.value.pointer == "/event/n"
    assert caught.value.got.startswith("A number is too large.")
    assert len(caught.value.got) == 200


def test_the_parser_gets_the_unquoted_bytes_once():
    seen = []

    def remember(text):
        seen.append(text)
        return {}

    capsule_of(b"?%7B+%7D;", remember)

    assert seen == [b"{ }"]


@pytest.mark.parametrize(
    "unit",
    [b"%", b"%%", b"%4", b"=%", b"=3D%41", b"%\n", b"%\r", b";", b"%22", b"%5C%22", b"%5B", b"+"],
)
def test_the_cost_grows_with_the_length_and_not_faster(unit):
    """Quadratic work would take 64 times as long for eight times the length, linear work 8."""

    def cost(size):
        query = b"x" + unit * (size // len(unit)) + b"x"
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            with pytest.raises(LegacyError):
                capsule_of(query, loads)
            best = min(best, time.perf_counter() - start)
        return best

    assert cost(256_000) < 30 * cost(32_000)
