import json
from datetime import UTC, datetime

import pytest

from legacy.formats import FORMATS
from legacy.strict.errors import LOSSES, NotProcessed
from legacy.strict.lines import StrictFormat
from legacy.strict.parser import StrictParser

NOW = datetime(2019, 11, 5, tzinfo=UTC)
AGENT = '"Mozilla/5.0 (X11; Linux x86_64; rv:70.0) Gecko/20100101 Firefox/70.0"'


def parsed(capsule, form=FORMATS["2018-02"]):
    columns = ["?" + json.dumps(capsule).replace(" ", "%20"), "cp1", "7", "2018-03-04T05:06:07"]
    if form == FORMATS["2018-02"]:
        columns += ["192.0.2.1", AGENT]
    return StrictParser(StrictFormat.parse(form)).parse("\t".join(columns), now=NOW)


def test_the_line_fills_what_the_capsule_lacks():
    event = parsed({"wiki": "w"})

    assert event["userAgent"].pop("browser_family") == "Firefox"
    assert event.pop("userAgent")["is_bot"] is False
    assert event == {
        "wiki": "w",
        "recvFrom": "cp1",
        "seqId": 7,
        "dt": "2018-03-04T05:06:07Z",
        "ip": "192.0.2.1",
        "uuid": "62cc1f5d84c65db19e3954dfae772cee",
    }


def test_what_the_client_sent_wins_and_is_cast_all_the_same():
    event = parsed(
        {"recvFrom": None, "seqId": "99", "dt": 0, "ip": [1], "userAgent": "", "uuid": "mine"}
    )

    assert event["recvFrom"] == "None"
    assert event["seqId"] == 99
    assert event["dt"] == "1970-01-01T00:00:00Z"
    assert event["ip"] == "[1]"
    assert event["userAgent"]["browser_family"] == "Other"
    assert len(event["uuid"]) == 32


def test_fields_that_are_no_columns_of_the_format_stay_as_they_are():
    event = parsed({"dt": "yesterday", "userAgent": {}, "omit": 1}, "%q %{recvFrom}s %{seqId}d %t")

    assert (event["dt"], event["userAgent"], event["omit"]) == ("yesterday", {}, 1)
    assert event["timestamp"] == 1520139967


def test_a_field_called_capsule_is_read_as_a_query():
    assert parsed({"capsule": "?%257B%257D;"})["capsule"] == {}
    with pytest.raises(LOSSES):
        parsed({"capsule": 1})


@pytest.mark.parametrize("capsule", [[], None, "x", 5])
def test_only_objects_are_capsules(capsule):
    with pytest.raises(NotProcessed, match="not as an object"):
        parsed(capsule)


def test_lines_of_another_form_are_not_processed():
    with pytest.raises(NotProcessed):
        StrictParser(StrictFormat.parse("2018-02")).parse("Fails to parse.", now=NOW)
