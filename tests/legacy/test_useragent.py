import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.uamatching import Matchings, open_matchings
from legacy.useragent import MAX_LENGTH, UserAgentError, UserAgents, parse_ua

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "legacy" / "vectors"
FIELDS = {
    *("device_family", "browser_family", "browser_major", "browser_minor"),
    *("os_family", "os_major", "os_minor", "wmf_app_version", "is_bot", "is_mediawiki"),
}


def vectors():
    path = SHARED / "dev-ua.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    cases = [json.loads(line) for line in lines]
    return [pytest.param(case, id=case["id"]) for case in cases if case["kind"] == "ua"]


@pytest.fixture(scope="module", params=[True, False], ids=["native", "plain"])
def agents(request):
    return UserAgents(open_matchings(native=request.param))


@pytest.mark.parametrize("vector", vectors())
def test_user_agents_are_taken_apart_as_by_the_old_system(agents, vector):
    expected = vector["expected"]
    text = vector["input"]["userAgent"]

    if expected["status"] == "error":
        with pytest.raises(UserAgentError):
            agents.parse(text)
        return

    wanted = expected["userAgent"]
    for newer in vector.get("expected_with", {}).values():
        wanted = wanted | newer["userAgent"]  # of the database that is in use today
    assert agents.parse(text) == wanted


def test_a_user_agent_that_says_nothing_still_has_every_field():
    assert parse_ua("") == {
        "device_family": "Other",
        "browser_family": "Other",
        "browser_major": None,
        "browser_minor": None,
        "os_family": "Other",
        "os_major": None,
        "os_minor": None,
        "wmf_app_version": "-",
        "is_bot": False,
        "is_mediawiki": False,
    }


@pytest.mark.parametrize("text", ["x" * 801, "é" * 801, None, 7, {"browser_family": "x"}, ["x"]])
def test_a_longer_one_or_what_is_no_text_is_refused(text):
    with pytest.raises(UserAgentError):
        parse_ua(text)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("WikipediaApp/2.7.50-r (Android 9; Phone) Play", "2.7.50-r"),
        ("Mozilla/5.0 (X11) WikipediaApp/3.0", "5.0"),
        ('"WikipediaApp/2.7.50"', '2.7.50"'),
        ("WikipediaApp/", ""),
        ("WikipediaApp/1/2 x", "1"),
        ("WikipediaApp 1", "-"),
        ("wikipediaapp/1", "-"),
    ],
)
def test_the_version_of_the_app_is_that_of_the_first_word(text, version):
    assert parse_ua(text)["wmf_app_version"] == version


def test_an_app_behind_a_word_without_a_version_is_refused():
    with pytest.raises(UserAgentError, match="begins with a word without"):
        parse_ua("Foo WikipediaApp/1.0")


def matching(**families):
    """Matchings that find these families whatever they look at."""
    found = {name: None if f is None else SimpleNamespace(family=f) for name, f in families.items()}
    return Matchings(
        browser=lambda _: None, os=lambda _: None, device=lambda _: found.get("device")
    )


@pytest.mark.parametrize(
    ("device", "text", "is_bot"),
    [
        ("Spider", "Firefox", True),
        (None, "Firefox", False),
        (None, "a bot", True),
        (None, "BOT", False),
        (None, "Firefox\nbot", False),
        (None, "Python/3", True),
        (None, '"Python/3"', True),
        (None, "'Python/3'", False),
        (None, "my Python/3", False),
        (None, "x\nPython/3", False),
        (None, "toolsXwmflabs.org", True),
        (None, "comXeusoft", False),
        (None, "me@example.org", True),
        (None, "x me@example.org", False),
        ("iPhone", "a bot", False),
        ("Generic Feature Phone", "MediaWiki/1.34", False),
    ],
)
def test_a_bot_is_a_spider_or_an_unknown_device_with_a_known_word(device, text, is_bot):
    agents = UserAgents(matching(device=device))

    assert agents.parse(text)["is_bot"] is is_bot


def test_the_quotes_of_the_log_change_what_is_a_bot():
    assert parse_ua('"MediaWiki/1.34"')["is_bot"] is True
    assert parse_ua("MediaWiki/1.34")["is_bot"] is False
    assert parse_ua("x mediaWIKI")["is_mediawiki"] is True


def test_what_was_taken_apart_is_remembered_within_a_bound():
    asked = []

    def device(text):
        asked.append(text)

    agents = UserAgents(matching()._replace(device=device), remembered=2)
    for text in ("a", "b", "a", "c", "b"):
        agents.parse(text)

    assert asked == ["a", "b", "c", "b"]


def test_an_answer_may_be_edited_without_changing_the_next():
    parse_ua("curl/7")["is_bot"] = "edited"

    assert parse_ua("curl/7")["is_bot"] is True


@given(st.text(max_size=MAX_LENGTH + 5))
def test_any_text_gives_all_fields_or_a_user_agent_error(text):
    try:
        agent = parse_ua(text)
    except UserAgentError:
        assert len(text) > MAX_LENGTH or "WikipediaApp/" in text
    else:
        assert agent.keys() == FIELDS


def test_a_bot_with_a_newline_inside_was_none():
    assert parse_ua("curl/7.1")["is_bot"]
    assert not parse_ua("curl/7.1\nfoo")["is_bot"]
