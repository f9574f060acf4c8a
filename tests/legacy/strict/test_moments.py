from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.strict.errors import LOSSES
from legacy.strict.moments import iso_of, written

NOW = datetime(2019, 11, 5, 10, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2018-01-02T03:04:05", "2018-01-02T03:04:05Z"),
        ("2018-01-31T03:04:05", "2018-01-31T03:04:05Z"),
        ("2018-01-02T03:04:05Z", "2018-01-02T03:04:05Z"),
        ("2018-01-02T03:04:05+00:00", "2018-01-02T03:04:05Z"),
        ("2018-01-02T03:04:05+02:00", "2018-01-02T03:04:05+02:00"),
        ("2018-01-02T03:04:05-0530", "2018-01-02T03:04:05-05:30"),
        ("2018-01-02T03:04:05.678Z", "2018-01-02T03:04:05.678000Z"),
        ("2018-01-02T03:04:05.1234567Z", "2018-01-02T03:04:05.123456Z"),
        ("2018-01-02 03:04:05", "2018-01-02T03:04:05Z"),
        ("2018-01-02", "2018-01-02T00:00:00Z"),
        ("20180102030405", "2018-01-02T03:04:05Z"),
        ("20180102T030405Z", "2018-01-02T03:04:05Z"),
        ("Tue, 02 Jan 2018 03:04:05 GMT", "2018-01-02T03:04:05Z"),
        ("2018-01-02T03:04:05 CET", "2018-01-02T03:04:05Z"),
        ("03:04", "2019-11-05T03:04:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (True, "1970-01-01T00:00:01Z"),
        (1514862245, "2018-01-02T03:04:05Z"),
        (1514862245678, "2018-01-02T03:04:05.678000Z"),
        (1514862245.5, "2018-01-02T03:04:05.500000Z"),
    ],
)
def test_times_are_read_as_the_old_system_read_them(value, iso):
    assert iso_of(value, now=NOW) == iso


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        "",
        "not a date",
        "2018-13-45T00:00:00Z",
        "2018-02-30T00:00:00",
        "2018-01-02T24:00:00Z",
        "2018-01-02T03:04:60Z",
        "2018-01-02T03:04:05+99:00",
        1514862245678.5,
        float("nan"),
        float("inf"),
        10**15,
        10**400,
        "9" * 5000,
    ],
)
def test_what_is_no_time_loses_the_event(value):
    with pytest.raises(LOSSES):
        iso_of(value, now=NOW)


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31, 23)))  # noqa: DTZ001 (no zone)
def test_the_form_of_log_lines_is_read_as_any_other(moment):
    text = moment.replace(microsecond=0).isoformat()

    assert iso_of(text, now=NOW) == iso_of(f" {text}", now=NOW) == f"{text}Z"


@given(st.text(max_size=30) | st.integers() | st.floats() | st.none())
def test_any_value_is_a_time_or_a_loss(value):
    try:
        iso = iso_of(value, now=NOW)
    except LOSSES:
        return

    assert datetime.fromisoformat(iso).tzinfo is not None


def test_only_no_offset_at_all_is_written_as_z():
    ahead = datetime(2018, 1, 2, tzinfo=timezone(timedelta(hours=-1)))

    assert written(ahead) == "2018-01-02T00:00:00-01:00"
