import contextlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.streams.patterns import MAX_NAME, MAX_PATTERN, PatternError, pattern_of


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        (r"^mediawiki\.job\..+", "mediawiki.job.refreshLinks", "mediawiki.job."),
        (r"^swift\.(.+\.)?upload-complete$", "swift.eqiad.upload-complete", "swift.upload"),
        (r"^demo\.team\.[a-z]+$", "demo.team.red", "demo.team.Red"),
        (r"job", "my.job.queue", "my.jab.queue"),
        (r"^[a-z]+\.[a-z]+\.[a-z]+\.v[0-9]+$", "a.b.c.v1", "a.b.v1"),
        (r"^(\.?[a-z]+\.)*end$", "a.b.end", "a.b"),
        (r"^(eqiad|codfw)\..*\.retry$", "codfw.a.retry", "esams.a.retry"),
        (r"^(?:foo|bar)+$", "foobarfoo", "foobarfo"),
        (r"^(?!internal)[\w.]+$", "public.a", "internal.a"),
        (r"^(.+\.)?job\.(.+\.)?retry$", "a.job.b.retry", "a.jab.retry"),
        (r"wiki.*job.*", "mediawiki.x.job.y", "mediawiki.jab"),
        (r"^[^.]+\.\d{4}$", "year.2024", "year.24"),
        (r"^a\/b$|^ab$", "ab", "aab"),
        (r"^([a-z]{2}\.){3}x$", "aa.bb.cc.x", "aa.bb.x"),
        (r"^\D+\S\W[\s\d]$", "abc.1", "abc1"),
    ],
)
def test_ordinary_regexes_are_taken(text, found, not_found):
    pattern = pattern_of(text)

    assert pattern.search(found)
    assert not pattern.search(not_found)


def test_groups_are_named_as_in_javascript():
    pattern = pattern_of(r"^(?<team>[a-z]+)\.(?<!x\.)\k<team>$")

    assert pattern.search("red.red")
    assert not pattern.search("red.blue")


def test_an_escaped_bracket_is_not_mistaken_for_a_named_group():
    assert pattern_of(r"^\(?<?ab$").search("ab")


@pytest.mark.parametrize(
    "text",
    [
        r"(a+)+$",
        r"^(a*)*$",
        r"^(a|a)*$",
        r"^(a|ab)*c$",
        r"^([a-z]+)*\.$",
        r"^(\w+\.?)+x$",
        r"^(.*.*)+$",
        r"^(a?){60}a{60}$",
        r"^a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaaaa$",
        r"^.*.*.*x$",
        r"^.*a.*b.*c$",
        r".*a.*b$",
        r"^(?=(a+)+$)a",
        r"^(?:[a-z]{1,99}){1,99}$",
        r"^(?:(?:a|b)|[ab])+c$",
        r"^(x+x+)+y$",
        r"^([^x]+)*y$",
        r"^([\d\w]+)+-$",
    ],
)
def test_regexes_that_could_search_for_ages_are_refused_with_advice(text):
    with pytest.raises(PatternError, match=r"too long; begin it with \^"):
        pattern_of(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("foo(", "broken"),
        ("a**", "broken"),
        ("(?i)a", "inline flag"),
        ("^(?i:a|A)*$", "inline flag"),
        ("(a)(?(1)b|c)", "groupref_exists"),
        ("a" * (MAX_PATTERN + 1), "longer than"),
        ("(" * 499 + ")" * 499, "nested too deeply|broken"),
        ("a{99999999999999999999}", "repeats too often|broken"),
    ],
)
def test_what_cannot_be_a_regex_is_refused_with_the_reason(text, why):
    with pytest.raises(PatternError, match=why):
        pattern_of(text)


_pieces = st.sampled_from(
    [
        "a",
        "b",
        ".",
        r"\.",
        "[ab]",
        "[^a]",
        r"\w",
        "a+",
        "b*",
        ".*",
        "[ab]+",
        "a?",
        "(a|b)",
        "(ab|a)",
    ]
)
_groups = st.lists(_pieces, min_size=1, max_size=4).map("".join)
_repeated = st.tuples(_groups, st.sampled_from(["*", "+", "?", "{2}", "{1,9}"])).map(
    lambda pair: f"(?:{pair[0]}){pair[1]}"
)
_regexes = st.tuples(
    st.sampled_from(["^", ""]),
    st.lists(_pieces | _repeated, min_size=1, max_size=5).map("".join),
    st.sampled_from(["$", "", "x"]),
).map("".join)
_names = st.one_of(
    st.sampled_from(["a", "b", "ab", "aab", "a.b", "ba."]).map(
        lambda piece: (piece * MAX_NAME)[: MAX_NAME - 1] + "-"
    ),
    st.text("ab.", min_size=1, max_size=MAX_NAME),
)


@given(_regexes, _names)
def test_no_regex_that_is_taken_takes_long(text, name):
    try:
        pattern = pattern_of(text)
    except PatternError:
        return
    started = time.process_time()

    found = pattern.search(name)

    assert time.process_time() - started < 0.5
    assert bool(found) == bool(re.search(text, name))


@given(st.text(max_size=30) | st.text("ab.*+?()[]{}|^$\\\\d:<!=-0", max_size=30))
def test_any_text_is_compiled_or_refused(text):
    with contextlib.suppress(PatternError):
        pattern_of(text).search("a.b")
