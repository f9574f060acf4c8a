import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.logs import JsonLines, TextLines


def record(message, **extra):
    made = logging.makeLogRecord({"name": "app.x", "levelname": "WARNING", "msg": message})
    vars(made).update(extra)
    return made


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()])
@given(text=st.text(alphabet=st.characters(exclude_categories=())))
def test_one_record_is_one_line_whatever_is_in_it(lines, text):
    line = lines.format(record(text, client=text))

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    line.encode()


def test_text_says_time_level_logger_and_what_stands_beside():
    line = TextLines().format(record("It happened.", count=3))

    assert "warning app.x: It happened. (count=3)" in line


def test_json_has_the_same_as_fields():
    value = json.loads(JsonLines().format(record("It happened.", count=3)))

    assert value["level"] == "warning"
    assert value["message"] == "It happened."
    assert value["count"] == "3"


def test_long_texts_are_cut():
    assert len(TextLines().format(record("x" * 100_000))) < 10_000
    assert len(JsonLines().format(record("x" * 100_000, more="y" * 100_000))) < 20_000
