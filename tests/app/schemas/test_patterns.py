import re

import jsonschema_rs as rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.formats import PATTERNS
from app.schemas.patterns import MOST, positions


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("", 1),
        ("a", 1),
        ("abc", 3),
        ("a+b*c?", 3),
        ("[a-z0-9]", 1),
        ("[]a]", 1),
        ("[^]a]", 1),
        (r"[\]\\]", 1),
        ("[a{5}(]", 1),
        (r"\d\.\{", 3),
        (r"\p{Lu}\u{1F600}", 2),
        ("a{5}", 5),
        ("a{2,5}", 5),
        ("a{5,}", 6),
        ("a{0}", 1),
        ("a{5}{4}", 20),
        ("(ab){5}", 10),
        ("(?:ab|c){5}", 15),
        ("(?<name>ab){3}", 6),
        ("(a{1,500}){1,20}b", 10_001),
        ("((a{10}){10}){10}", 1_000),
        ("a{x}", 4),
        ("a{,5}", 5),
        ("a|b", 2),
        ("(((", 1),
        (")))", 1),
        ("[", 1),
        ("\\", 1),
        ("a{999999999}{999999999}", MOST),
    ],
)
def test_positions_are_those_of_the_expression_written_out(pattern, count):
    assert positions(pattern) == count


_ATOMS = st.sampled_from(["a", ".", r"\d", "[a-c]", r"\.", "é"]).map(lambda atom: (atom, 1))


def _combined(inner):
    counted = st.tuples(inner, st.integers(1, 6)).map(
        lambda it: (f"(?:{it[0][0]}){{1,{it[1]}}}", it[0][1] * it[1])
    )
    joined = st.lists(inner, min_size=1, max_size=4).map(
        lambda parts: ("".join(p for p, _ in parts), sum(n for _, n in parts))
    )
    either = st.tuples(inner, inner).map(
        lambda it: (f"({it[0][0]}|{it[1][0]})*", it[0][1] + it[1][1])
    )
    return counted | joined | either


@given(st.recursive(_ATOMS, _combined, max_leaves=8))
def test_of_any_expression_they_are_counted_right(made):
    pattern, count = made

    assert positions(pattern) == count
    re.compile(pattern)


@given(st.text(alphabet="a[]{}()|\\,*?:<>=!p0123456789^-", max_size=60))
def test_any_text_has_a_number(text):
    assert 1 <= positions(text) <= MOST


@pytest.mark.parametrize(
    "text", ["(" * 500_000, "[a]" * 300_000, "a{9}" * 200_000, "\\p{" * 200_000]
)
@pytest.mark.timeout(20)
def test_long_texts_are_read_quickly(text):
    assert positions(text) <= MOST


@pytest.mark.parametrize("unit", ["a", "a.", "a-", "1", "1:", "::1", "0.", "A@a.", "%"])
@pytest.mark.timeout(20)
def test_our_own_patterns_of_formats_take_a_megabyte_in_no_time(unit):
    text = unit * (1_000_000 // len(unit))

    for pattern in PATTERNS.values():
        validator = rs.Draft7Validator({"pattern": pattern}, pattern_options=rs.RegexOptions())
        for before in ("", "a@", "urn:uuid:", "1:"):
            validator.is_valid(before + text)
