import json
import logging
import sys
from contextvars import copy_context

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.current import CURRENT, CurrentRequest
from app.logs.lines import MAX_LINE, JsonLines, TextLines, quoted

anything = st.text(alphabet=st.characters(exclude_categories=()))
values = anything | st.integers() | st.floats() | st.none() | st.booleans() | st.lists(anything)


def record(message, *args, exc_info=None, **extra):
    made = logging.makeLogRecord(
        {"name": "app.x", "levelname": "WARNING", "msg": message, "args": args}
    )
    made.exc_info = exc_info
    vars(made).update(extra)
    return made


def raised(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()])
@given(text=anything)
def test_one_record_is_one_line_whatever_is_in_it(lines, text):
    line = lines.format(record(text, client=text))

    assert len(line.splitlines()) == 1
    assert line.isprintable()
    line.encode()


@given(message=anything, extra=st.dictionaries(anything.map("x{}".format), values, max_size=30))
def test_a_json_line_is_ascii_and_any_reader_takes_it(message, extra):
    line = JsonLines().format(record(message, **extra))

    assert line.isascii()
    assert line.isprintable()
    orjson.loads(line)  # strict, also about halves of surrogate pairs
    json.loads(line)


@pytest.mark.parametrize("text", ["x", "\x00", "\x1b[31m", "\u2028", "😀", "\ud800", '"', "\\"])
def test_no_line_is_longer_than_the_bound_whatever_it_is_full_of(text):
    flood = text * 20_000
    facts = {f"{text}{number}" * 100: flood for number in range(100)}
    fault = raised(ValueError(flood))

    line = JsonLines(whole_faults=True).format(record(flood, exc_info=fault, **facts))

    assert len(line.encode()) < MAX_LINE
    assert set(json.loads(line)) >= {"ts", "level", "logger", "message", "extra", "exception"}


@given(text=anything, room=st.integers(min_value=20, max_value=200))
def test_a_text_that_is_cut_keeps_as_much_of_its_beginning_as_fits(text, room):
    whole = json.loads(quoted(text, 10_000))

    literal = quoted(text, room)

    assert len(literal) <= room
    cut = json.loads(literal)
    assert cut == whole or whole.startswith(cut.removesuffix("…"))
    if cut != whole:
        assert len(literal) > room - 20


def test_text_says_time_level_logger_and_what_stands_beside():
    line = TextLines().format(record("It happened.", count=3))

    assert "warning app.x: It happened. (count=3)" in line


def test_json_has_the_same_as_fields():
    value = json.loads(JsonLines().format(record("It happened.", count=3, level="mine")))

    assert value["level"] == "warning"
    assert value["message"] == "It happened."
    assert value["extra"] == {"count": 3, "level": "mine"}
    assert value["ts"].endswith("Z")


def test_numbers_that_readers_would_change_are_texts():
    facts = {"big": 2**60, "nan": float("nan"), "small": 1.5, "yes": True, "none": None}

    value = json.loads(JsonLines().format(record("It happened.", **facts)))

    assert value["extra"] == facts | {"big": str(2**60), "nan": "nan"}


def test_long_texts_are_cut_for_people_too():
    assert len(TextLines().format(record("\x00" * 100_000, more="y" * 100_000))) < MAX_LINE


def test_arguments_that_do_not_fit_do_not_cost_the_line():
    value = json.loads(JsonLines().format(record("%d of %s", "x")))

    assert value["message"] == "%d of %s (its arguments do not fit)"


def test_what_cannot_be_shown_does_not_cost_the_line():
    class Odd:
        def __str__(self):
            raise ValueError

    value = json.loads(JsonLines().format(record("It happened.", odd=Odd())))

    assert value["extra"] == {"odd": "<Odd>"}


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()])
def test_lines_about_a_request_have_its_id_until_it_is_over(lines):
    current = CurrentRequest("r-1")

    def line():
        CURRENT.set(current)
        return lines.format(record("It happened."))

    during = copy_context().run(line)
    current.is_over = True
    after = copy_context().run(line)

    assert "r-1" in during
    assert "r-1" not in after


def test_each_line_of_an_exception_is_marked_in_text():
    fault = raised(OSError("first\nsecond\x1b[0m"))

    _, *parts = TextLines().format(record("It failed.", exc_info=fault)).split("\n")

    assert len(parts) > 2
    assert all(part.startswith("  | ") and part.isprintable() for part in parts)
