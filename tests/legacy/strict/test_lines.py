import pytest

from legacy.formats import FORMATS, FormatError
from legacy.strict.lines import LETTERS_2014, StrictFormat

LINE = '?%7B%7D;\tcp1\t7\t2018-03-04T05:06:07\t192.0.2.1\t"Agent (of blanks)"'
PRODUCTION = FORMATS["2018-02"]


def test_the_last_format_takes_lines_apart():
    columns = StrictFormat.parse(PRODUCTION).match(LINE)

    assert columns == {
        "capsule": "?%7B%7D;",
        "recvFrom": "cp1",
        "seqId": "7",
        "dt": "2018-03-04T05:06:07",
        "ip": "192.0.2.1",
        "userAgent": '"Agent (of blanks)"',
    }


def test_formats_are_known_by_name():
    assert StrictFormat.parse("2018-02") == StrictFormat.parse(PRODUCTION)


def test_blanks_stand_for_any_white_space_and_columns_of_text_take_all_they_can():
    columns = StrictFormat.parse(PRODUCTION).match(LINE.replace("\t", "  "))

    assert columns["ip"] == '192.0.2.1  "Agent (of'
    assert columns["userAgent"] == 'blanks)"'


@pytest.mark.parametrize(
    "line",
    [
        "",
        f" {LINE}",
        LINE.replace("?", ""),
        LINE.replace("%7B%7D;", ""),
        LINE.replace("\t7\t", "\t-7\t"),
        LINE.replace("05:06:07", "05:06"),
        LINE.removesuffix('"Agent (of blanks)"'),
    ],
)
def test_lines_of_another_form_are_none(line):
    assert StrictFormat.parse(PRODUCTION).match(line) is None


def test_what_follows_the_last_column_is_ignored():
    assert StrictFormat.parse(PRODUCTION).match(f"{LINE}\tmore") is not None


def test_what_is_omitted_is_no_column():
    columns = StrictFormat.parse("%q %o %{x}d").match("?a - 5")

    assert columns == {"capsule": "?a", "x": "5"}


def test_letters_that_a_release_did_not_know_are_text():
    old = StrictFormat.parse("%q %l %n", LETTERS_2014)
    new = StrictFormat.parse("%q %l %n")

    assert old.match("?a cp1 7") == {"capsule": "?a", "recvFrom": "cp1", "seqId": "7"}
    assert new.match("?a cp1 7") is None
    assert new.match("?a %l %n") == {"capsule": "?a"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no column for the event"),
        ("%{x}s", "no column for the event"),
        ("%q %s", "needs a name"),
        ("%{x}q", "takes no name"),
        ("%q %{a}s %{a}d", "no regular expression"),
        ("%q (", "no regular expression"),
    ],
)
def test_formats_that_cannot_be_used_say_why(text, problem):
    with pytest.raises(FormatError, match=problem):
        StrictFormat.parse(text)
