import sqlite3
import sys

import pytest
from aiokafka.errors import KafkaTimeoutError

from app.core.errors import ConfigError, MalformedEvent
from app.logs.faults import fault_text

SECRET = "hunter2"


def caught(error, cause=None):
    try:
        raise error from cause
    except type(error) as found:
        return found


@pytest.mark.parametrize(
    "error", [KeyError(SECRET), ValueError(SECRET), MalformedEvent(SECRET), Exception(SECRET)]
)
def test_what_may_be_a_clients_is_not_shown_unless_all_is_asked_for(error):
    error = caught(error)

    text = fault_text(error)

    assert SECRET not in text
    assert type(error).__qualname__ in text
    assert SECRET in fault_text(error, whole=True)


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        sqlite3.OperationalError("database is locked"),
        KafkaTimeoutError("no broker answered"),
        ConfigError("http.port is taken"),
        TypeError("unhashable type"),
    ],
)
def test_what_tells_of_the_machine_or_of_us_is_shown(error):
    assert str(error) in fault_text(caught(error))


def test_the_innermost_place_comes_first_under_a_short_name():
    def inner():
        raise ValueError

    def outer():
        inner()

    try:
        outer()
    except ValueError as error:
        _, first, second, *_ = fault_text(error).split("\n")

    assert first.startswith("  tests/app/logs/test_faults.py:")
    assert first.endswith("inner")
    assert second.endswith("outer")


def test_what_led_to_it_is_told_too_and_its_text_withheld():
    text = fault_text(caught(OSError("outside"), caught(KeyError(SECRET))))

    assert "from: KeyError" in text
    assert SECRET not in text


def test_the_parts_of_a_group_are_told_each():
    text = fault_text(caught(ExceptionGroup("some", [KeyError(SECRET), OSError("disk")])))

    assert "one of it: KeyError" in text
    assert "one of it: OSError: disk" in text
    assert SECRET not in text


def test_a_chain_or_a_stack_without_end_has_an_end():
    def deep(left):
        return deep(left - 1) if left else {}["x"]

    try:
        deep(500)
    except KeyError as error:
        error.__context__ = error
        text = fault_text(error)

    assert sys.getrecursionlimit() > 500
    assert text.count("\n") < 200


def test_an_exception_that_cannot_be_read_is_told_of_all_the_same():
    class OddError(OSError):
        def __str__(self):
            raise ValueError

    assert "OddError" in fault_text(caught(OddError()))
