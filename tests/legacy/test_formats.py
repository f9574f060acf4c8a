import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.formats import FORMATS, FormatError, LineFormat

PRODUCTION = LineFormat.parse("2018-02")


def test_a_production_line_is_taken_apart_by_its_tabs():
    line = '?%7B%7D;\tcp1\t7\t2018-03-04T05:06:07\t192.0.2.1\t"Mozilla/5.0 (X11; Linux)"'

    columns = PRODUCTION.match(line)

    assert columns == {
        "capsule": "?%7B%7D;",
        "recvFrom": "cp1",
        "seqId": "7",
        "dt": "2018-03-04T05:06:07",
        "ip": "192.0.2.1",
        "userAgent": '"Mozilla/5.0 (X11; Linux)"',
    }


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("2012-10", "capsule recvFrom seqId timestamp"),
        ("2012-11", "capsule recvFrom seqId timestamp clientIp"),
        ("2014-02", "capsule recvFrom seqId timestamp clientIp userAgent"),
        ("2016-03", "capsule recvFrom seqId timestamp userAgent"),
        ("2017-11", "capsule recvFrom seqId dt userAgent"),
        ("2018-02", "capsule recvFrom seqId dt ip userAgent"),
        ("server-side", "seqId capsule"),
    ],
)
def test_every_format_that_was_in_use_has_a_name(name, columns):
    form = LineFormat.parse(name)

    assert form.text == FORMATS[name]
    assert " ".join(form.columns) == columns


def test_the_kind_of_a_column_says_how_it_was_read():
    form = LineFormat.parse("%j %{a}s %{b}d %{c}i")

    assert form.columns == {"capsule": "json", "a": "word", "b": "number", "c": "text"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (" ?x\tcp1\t7\t2018-03-04T05:06:07\t1\tua", "a blank in front"),
        ("?\tcp1\t7\t2018-03-04T05:06:07\t1\tua", "a bare question mark"),
        ("x\tcp1\t7\t2018-03-04T05:06:07\t1\tua", "no question mark"),
        ("?x\tcp1\t-\t2018-03-04T05:06:07\t1\tua", "no number"),
        ("?x\tcp1\t-7\t2018-03-04T05:06:07\t1\tua", "a negative number"),
        ("?x\tcp1\t7\t2018-03-04T05:06:07Z\t1\tua", "a zone"),
        ("?x\tcp1\t7\t2018-03-04T05:06:07.123\t1\tua", "milliseconds"),
        ("?x\tcp1\t7\t2018-03-04T05:06:07\t1\t", "no user agent"),
        ("", "nothing"),
    ],
)
def test_a_line_of_another_form_does_not_match(line, why):
    assert PRODUCTION.match(line) is None, why


@pytest.mark.parametrize(
    ("rest", "ip", "user_agent"),
    [
        ("1.2.3.4\tA B\textra", "1.2.3.4", "A B"),
        ("1.2.3.4 A B", "1.2.3.4 A", "B"),
        ("\tA B", "A", "B"),
        ("1.2.3.4, 5.6.7.8\tA", "1.2.3.4, 5.6.7.8", "A"),
        ("1.2.3.4 \tA", "1.2.3.4 ", "A"),
        ("1.2.3.4  ", "1.2.3.4", " "),
    ],
)
def test_columns_of_text_take_all_that_they_can_up_to_a_tab(rest, ip, user_agent):
    columns = PRODUCTION.match(f"?x\tcp1\t7\t2018-03-04T05:06:07\t{rest}")

    assert (columns["ip"], columns["userAgent"]) == (ip, user_agent)


def test_a_tab_in_a_format_stands_for_one_tab_so_that_an_empty_column_is_seen():
    form = LineFormat.parse("%q\t%{ip}i\t%u\t%{seqId}d")

    assert form.match("?x\t1 2\tA B\t7") == {
        "capsule": "?x",
        "ip": "1 2",
        "userAgent": "A B",
        "seqId": "7",
    }
    assert form.match("?x\t\tA B\t7") is None


def test_a_word_of_a_format_must_be_in_the_line_as_it_is():
    form = LineFormat.parse("server-side")

    assert form.match('523 EventLogging {"a":1} {}') == {"seqId": "523", "capsule": '{"a":1}'}
    assert form.match("523 eventlogging {}") is None
    assert LineFormat.parse("a.b %j").match("axb {}") is None


def test_digits_of_other_scripts_count_as_before():
    columns = PRODUCTION.match("?x\tcp1\t\u0667\t2018-03-04T05:06:07\t1\tua")

    assert columns["seqId"] == "\u0667"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "nothing where a column"),
        ("%{a}s", "no column for the event"),
        ("%q %j", "two columns for capsule"),
        ("%q %{capsule}s", "two columns for capsule"),
        ("%q %{a}s %{a}d", "two columns for a"),
        ("%q %{x}", "is no column"),
        ("%q %s", "lacks a name"),
        ("%q %{x}q", "takes no name"),
        ("%q %Z", "is no column; there are %q"),
        ("%q%j", "write one like"),
        ('%q "%{x}i"', "write one like"),
        ("%q %{1}s", "write one like"),
        ("%q\t\t%u", "nothing where a column"),
        ("%q %{a}i %{b}i %u", "put tabs between"),
        ("%q %u %l", "put tabs between"),
        ("%u %q", "put tabs between"),
    ],
)
def test_a_format_that_cannot_be_used_is_told_why(text, problem):
    with pytest.raises(FormatError, match=re.escape(problem)):
        LineFormat.parse(text)


@given(st.text(alphabet=" \t%{}qjtDuolnhisdx_?", max_size=30))
def test_any_text_is_a_format_or_raises_a_format_error(text):
    try:
        columns = LineFormat.parse(text).columns
    except FormatError:
        columns = {"capsule": None}

    assert "capsule" in columns


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("unit", ["?", "? ", " ", "\t", " \t", "a ", "1 ", "?a 1 2", "\n", "\x1c "])
@pytest.mark.parametrize(
    "start", ["", "?q a 1 2018-03-04T05:06:07 x", "1 EventLogging ", "?q a 1 2018-03-04T05:06:07 "]
)
def test_the_cost_grows_with_the_length_and_not_faster(name, unit, start):
    """Quadratic work would take 64 times as long for eight times the length, linear work 8."""
    form = LineFormat.parse(name)

    def cost(size):
        line = start + unit * (size // len(unit))
        best = float("inf")
        for _ in range(5):
            began = time.process_time()
            form.match(line)
            best = min(best, time.process_time() - began)
        return best

    assert cost(160_000) < 30 * max(cost(20_000), 0.00005)
