import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.compat.leaves import takes
from migration.patterntexts import lengths_of, texts_of

LITERALS = st.sampled_from(["a", "b", "x", "-", " ", "é", r"\.", r"\d", r"\w", r"\s", r"\$", "."])
CLASSES = st.sampled_from(
    ["[abc]", "[a-f0-9]", "[^a-z]", r"[\w-]", r"[\w.-]", r"[^\w]", r"[^\s]", "[-.]"]
)
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "+?"])


def _patterns():
    pieces = st.recursive(
        st.one_of(LITERALS, CLASSES),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map("".join).map("(?:{})".format),
            st.lists(inner, min_size=1, max_size=3).map("|".join).map("({})".format),
        ),
        max_leaves=4,
    )
    repeated = st.builds("{}{}".format, pieces, REPEATS)
    rows = st.lists(repeated, min_size=1, max_size=4).map("".join)
    return st.builds("{}{}{}".format, st.sampled_from(["", "^"]), rows, st.sampled_from(["", "$"]))


@given(_patterns())
def test_what_is_made_for_a_pattern_matches_it(pattern):
    made = list(texts_of(pattern))

    assert made
    assert all(takes("pattern", pattern, text, old=False) for text in made)


@given(_patterns(), st.data())
def test_no_text_that_matches_is_shorter_or_longer_than_said(pattern, data):
    text = data.draw(st.from_regex(pattern, fullmatch=pattern.endswith("$")))

    least, most = lengths_of(pattern)

    assert len(text) >= least
    # Python's `$` lets a newline at the end through.
    assert most is None or len(text.removesuffix("\n")) <= most


@pytest.mark.parametrize(
    ("pattern", "lengths"),
    [
        ("^[a-c]{3}$", (3, 3)),
        ("^[a-c]{3}", (3, None)),
        ("[a-c]{3}$", (3, None)),
        ("^a|bcd$", (1, None)),
        ("^(a|bcd)$", (1, 3)),
        ("^a{2,4}b?$", (2, 5)),
        ("^(?:ab){2,}$", (4, None)),
        (r"^\u00e9\x41$", (2, 2)),
        (r"^a\$", (2, None)),
        (r"^[\w-.]{2}$", (2, 2)),
        ("", (0, None)),
    ],
)
def test_lengths_follow_from_a_pattern(pattern, lengths):
    assert lengths_of(pattern) == lengths


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b",  # looks around
        "(?i)abc",
        "(?<!a)bc",
        r"^\cA$",  # one character, not two
        r"^\p{L}{2}$",
        r"(a)\1",
        r"^\01$",
        "^x{,3}$",  # a repetition, or five characters
        "[]a]b",
        "[[a]b]",
        r"[a-\d]",
        "(ab",
        "ab)",
        "a**",
        "abc\\",
        "[abc",
        "x{2",
    ],
)
def test_of_what_cannot_be_read_nothing_is_said(pattern):
    assert lengths_of(pattern) == (0, None)
    assert list(texts_of(pattern)) == []


def test_longer_texts_are_made_if_asked_for():
    made = texts_of("^a+$", stretches=(300,))

    assert max(map(len, made)) == 301


def test_the_same_pattern_gives_the_same_texts():
    one, other = list(texts_of("^[a-z]{2,8}$")), list(texts_of("^[a-z]{2,8}$"))

    assert one == other
    assert len(set(one)) > 3


def test_a_pattern_that_asks_for_too_much_gives_no_text():
    assert list(texts_of("^a{9999}$")) == []


def test_short_texts_come_first():
    made = list(islice(texts_of("^x(yz)*$"), 7))

    assert made[0] == "x"
    assert re.fullmatch("x(yz)+", made[-1])
