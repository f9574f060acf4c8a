import json

import pytest

from legacy.strict.errors import LOSSES, NotProcessed
from legacy.strict.history import HistoricParser

FORMAT_2014 = "%q %{recvFrom}s %{seqId}d %t %h %{userAgent}i"
FORMAT_2016 = "%q %{recvFrom}s %{seqId}d %t %o %{userAgent}i"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:70.0) Gecko/20100101 Firefox/70.0"


def line_of(capsule, address="-"):
    text = json.dumps(capsule, separators=(",", ":"))
    return f"?{text};\tcp1\t1\t2017-03-25T00:00:00\t{address}\t{AGENT}"


def test_client_s_fields_stay_as_they_came_and_win():
    event = HistoricParser(FORMAT_2014, "2014-03").parse(line_of({"seqId": "x", "timestamp": 5}))

    assert (event["seqId"], event["timestamp"], event["userAgent"]) == ("x", 5, AGENT)


def test_identifiers_are_made_of_the_timestamp():
    event = HistoricParser("%q %l %n %t", "2014-01").parse(
        "?{}; cp3022.esams.wikimedia.org 132073 2013-01-19T23:16:38"
    )

    assert event == {
        "recvFrom": "cp3022.esams.wikimedia.org",
        "seqId": 132073,
        "timestamp": 1358637398,
        "uuid": "799341a01ba957c79b15dc4d2d950864",
    }


def test_addresses_are_hashed_with_a_key_that_nobody_knows():
    parser = HistoricParser(FORMAT_2014, "2014-03")
    line = line_of({}, address="198.51.100.7")

    first, again = parser.parse(line), parser.parse(line)
    other = HistoricParser(FORMAT_2014, "2014-03").parse(line)

    assert len(first["clientIp"]) == 40
    assert first["clientIp"] == again["clientIp"] != other["clientIp"]


@pytest.mark.parametrize(("capsule", "extra"), [([], {}), ([["a", 1]], {"a": 1}), ("", {})])
def test_what_adds_nothing_or_pairs_was_taken_for_a_capsule(capsule, extra):
    event = HistoricParser(FORMAT_2014, "2015-02").parse(line_of(capsule))

    known = {"recvFrom", "seqId", "timestamp", "clientIp", "userAgent", "uuid"}
    assert {name: value for name, value in event.items() if name not in known} == extra


@pytest.mark.parametrize("capsule", [[1], None, 5])
def test_what_cannot_be_added_is_lost(capsule):
    with pytest.raises(LOSSES):
        HistoricParser(FORMAT_2014, "2015-02").parse(line_of(capsule))


def test_agents_were_json_in_a_string_from_2017_on():
    before = HistoricParser(FORMAT_2016, "2017-02").parse(line_of({}))
    after = HistoricParser(FORMAT_2016, "2017-09").parse(line_of({}))

    assert before["userAgent"] == AGENT
    assert json.loads(after["userAgent"])["browser_family"] == "Firefox"


@pytest.mark.parametrize("agent", ["", None, 0, {}])
def test_agents_that_are_nothing_stayed_nothing(agent):
    event = HistoricParser(FORMAT_2016, "2017-09").parse(line_of({"userAgent": agent}))

    assert event["userAgent"] == agent


@pytest.mark.parametrize("agent", [{"a": 1}, 5, True])
def test_agents_that_are_no_text_were_lost(agent):
    with pytest.raises(LOSSES):
        HistoricParser(FORMAT_2016, "2017-09").parse(line_of({"userAgent": agent}))


def test_the_last_form_is_read_as_the_last_release_did():
    line = line_of({"seqId": "5"})

    event = HistoricParser("%q %{recvFrom}s %{seqId}d %D %o %u", "2017-12").parse(line)

    assert event["seqId"] == 5
    assert event["dt"] == "2017-03-25T00:00:00Z"


def test_lines_of_another_form_are_not_processed():
    with pytest.raises(NotProcessed):
        HistoricParser("%q %l %n %t", "2014-01").parse("nonsense")
