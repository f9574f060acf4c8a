import random
import re
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ua_parser import load_lazy_builtins, user_agent_parser

from legacy.uamatching import Matching, open_matchings

NATIVE = open_matchings()
PLAIN = open_matchings(native=False)


def pieces():
    """Texts that the database's own regexes look for, or nearly so."""
    found = set()
    for matchers in load_lazy_builtins():
        for matcher in matchers:
            text = re.sub(r"\\d[+*]?|\[0-9\][+*]?", "7", matcher.regex)
            text = re.sub(r"\[[^\]]*\][+*?]?|\{[^}]*\}|\(\?[:i=!<]*", "", text)
            found.update(re.sub(r"[\\^$()?*+]", "", text).split("|"))
    return sorted(piece for piece in found if piece)


PIECES = pieces()
GAPS = ["", " ", "; ", "/", "x" * 30, " 1" * 60, "a;" * 110]
AGENTS = st.lists(st.sampled_from(PIECES) | st.sampled_from(GAPS), max_size=6).map("".join)
MARKS = [
    "\n",
    "\t",
    "\x1c",
    "\x85",
    "\u2028",
    "é",
    "\u0663",
    "\u017f",
    "\u212a",
    "\uff11",
    "🙂",
    "\ud800",
    "\x00",
]
# Rust's regexes read `{0,200}` as `*` here: a robot named after 230 characters is none.
FAR = f"Mozilla/5.0 (Linux; Andrdoid 6.0.1) Mobile Safari/537 {'x' * 230} (Googlebot/2.1)"


def answers(matchings, text):
    device, browser, system = (each(text) for each in (matchings[2], matchings[0], matchings[1]))
    return (
        device.family if device else "Other",
        *((browser.family, browser.major, browser.minor) if browser else ("Other", None, None)),
        *((system.family, system.major, system.minor) if system else ("Other", None, None)),
    )


def reference(text):
    """What ua-parser's oldest interface says, which the old system asked."""
    said = user_agent_parser.Parse(text)
    browser, system = said["user_agent"], said["os"]
    return (
        said["device"]["family"],
        *(browser[name] for name in ("family", "major", "minor")),
        *(system[name] for name in ("family", "major", "minor")),
    )


@pytest.mark.skipif(not find_spec("ua_parser_rs"), reason="ua-parser-rs is not installed")
def test_the_native_parser_is_used_where_it_is_installed():
    assert NATIVE.browser._native is not None
    assert PLAIN.browser._native is None


@settings(max_examples=300, deadline=None)
@given(AGENTS)
@example("; wetab Build sdk/")
@example("Pandora ; wetab Build weibo__1.12.1 UP.Browser")
@example(FAR)
@example("")
def test_all_parsers_give_the_same_answers(text):
    assert answers(NATIVE, text) == answers(PLAIN, text) == reference(text)


@settings(max_examples=200, deadline=None)
@given(AGENTS, st.sampled_from(MARKS), st.randoms(use_true_random=False))
@example("curl/7.8", "\u0663", random.Random(1))
@example(
    "Mozilla/5.0 (iPad; CPU OS 9_3_5 like Mac OS X) AppleWebKit/601.1.46",
    "\u0663",
    random.Random(2),
)
def test_they_do_so_for_odd_characters_too(text, mark, chance):
    for _ in range(3):
        place = chance.randint(0, len(text))
        text = text[:place] + mark + text[place:]

    assert answers(NATIVE, text) == answers(PLAIN, text) == reference(text)


def matcher(word, family):
    def match(text):
        if word not in text:
            return None
        if family is None:
            raise ValueError("no family")
        return SimpleNamespace(family=family)

    return match


@pytest.mark.parametrize(
    ("text", "family"), [("a b", "A"), ("b", "B"), ("c b", "B"), ("d b", "B"), ("x", None)]
)
def test_the_first_that_matches_and_names_a_family_answers(text, family):
    matching = Matching(
        [matcher("a", "A"), matcher("c", None), matcher("d", ""), matcher("b", "B")]
    )

    found = matching(text)

    assert (found and found.family) == family


def test_the_native_parser_says_only_where_to_begin():
    def says(place):
        return SimpleNamespace(extract=lambda _: place and SimpleNamespace(family=place))

    matchers = [matcher("a", "A"), matcher("b", "B"), matcher("a", "C")]

    assert Matching(matchers, says("1"))("a").family == "C"
    assert Matching(matchers, says("1"))("é a").family == "A"
    assert Matching(matchers, says(None))("a") is None
