import sys

import pytest

from app.diagnosis.clock import examine_clock, kernel_state
from app.diagnosis.web import Visit


def visit(ahead: float | None) -> Visit:
    return Visit("http://s", 0.1, 200, ahead=ahead)


def test_a_clock_that_the_kernel_keeps_right_is_well():
    (found,) = examine_clock([], lambda: 0)

    assert found.level == "ok"


def test_a_clock_that_nobody_keeps_right_is_a_warning():
    (found,) = examine_clock([], lambda: 5)

    assert found.level == "warning"
    assert "chrony" in found.advice


def test_a_kernel_that_may_not_be_asked_is_told_with_the_reason():
    def forbidden() -> int:
        raise PermissionError(1, "Operation not permitted")

    (found,) = examine_clock([], forbidden)

    assert found.level == "warning"
    assert "Operation not permitted" in found.text


@pytest.mark.parametrize(
    ("ahead", "level", "text"),
    [
        (0.4, "ok", "This clock agrees with that of http://s."),
        (-4.9, "ok", "This clock agrees with that of http://s."),
        (7.0, "warning", "This clock is 7 s behind that of http://s."),
        (-60.0, "warning", "This clock is 60 s ahead of that of http://s."),
        (-400.0, "problem", "This clock is 400 s ahead of that of http://s."),
    ],
)
def test_a_server_with_another_time_is_judged_by_the_difference(ahead, level, text):
    _, found = examine_clock([visit(ahead)], lambda: 0)

    assert (found.level, found.text) == (level, text)


def test_a_server_that_tells_no_time_says_nothing_of_the_clock():
    assert len(examine_clock([visit(None)], lambda: 0)) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked")
def test_the_kernel_can_be_asked_without_rights():
    try:
        state = kernel_state()
    except OSError as error:
        pytest.skip(f"not here: {error}")

    assert 0 <= state <= 5
