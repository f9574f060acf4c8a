from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.clienttime import utc_of

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.builds(
    lambda moment, zone: moment.replace(tzinfo=zone),
    st.datetimes().filter(lambda moment: 1900 < moment.year < 9999),
    ZONES,
)
SECONDS = st.integers(-2_208_988_800, 253_402_300_799)


def written(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@given(MOMENTS)
def test_iso_times_are_converted_to_utc_milliseconds(moment):
    assert utc_of(moment.isoformat()) == written(moment)


@given(SECONDS)
def test_a_number_that_can_be_seconds_is_seconds(seconds):
    expected = written(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))

    assert utc_of(seconds) == expected
    assert utc_of(float(seconds)) == expected


@given(st.integers(253_402_300_800, 253_402_300_799_999))
def test_a_number_too_large_for_seconds_is_milliseconds(ms):
    expected = written(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))

    assert utc_of(ms) == expected


@given(st.text() | st.from_regex(r"[0-9TZ:. +-]{4,30}") | st.integers() | st.floats())
def test_any_value_gives_a_time_or_none(value):
    answer = utc_of(value)

    assert answer is None or datetime.fromisoformat(answer).tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1514862245, "2018-01-02T03:04:05.000Z"),
        (1514862245123, "2018-01-02T03:04:05.123Z"),
        (1514862245.123, "2018-01-02T03:04:05.123Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        ("1514862245", "2018-01-02T03:04:05.000Z"),
        ("1514862245.5", "2018-01-02T03:04:05.500Z"),
        ("1514862245123", "2018-01-02T03:04:05.123Z"),
        ("20180102030405", "2018-01-02T03:04:05.000Z"),
        ("20180102T030405Z", "2018-01-02T03:04:05.000Z"),
        ("20180102", "2018-01-02T00:00:00.000Z"),
        ("2018-01-02", "2018-01-02T00:00:00.000Z"),
        ("2018-01-02T03:04", "2018-01-02T03:04:00.000Z"),
        ("2018-01-02T03:04:05", "2018-01-02T03:04:05.000Z"),
        ("2018-01-02 03:04:05z", "2018-01-02T03:04:05.000Z"),
        (" 2018-01-02T03:04:05.6Z ", "2018-01-02T03:04:05.600Z"),
        ("2018-01-02T03:04:05,678901234Z", "2018-01-02T03:04:05.678Z"),
        ("2018-01-02T03:04:05+02:00", "2018-01-02T01:04:05.000Z"),
        ("2018-01-01T22:04:05-0530", "2018-01-02T03:34:05.000Z"),
        ("2018-01-02T03:04:05 +01", "2018-01-02T02:04:05.000Z"),
    ],
)
def test_forms_that_clients_have_sent(value, expected):
    assert utc_of(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        [],
        {},
        [1514862245],
        "",
        "garbage",
        "now",
        "-",
        "2018-13-01",
        "2018-02-30T00:00:00Z",
        "2018-01-02T24:00:00Z",
        "2018-01-02T03:04:60Z",
        "2018-01-02T03:04:05+24:00",
        "2018-01-02T03:04:05+01:75",
        "2018-01-02T03:04:05Zx",
        "2018-01-02T03:04:05Z\n2018",
        "\u0662\u0660\u0661\u0668-01-02",
        "99999999999999",
        "1" * 19,
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        10**18,
        -(10**18),
        2**64 - 1,
        1e300,
        float("inf"),
        float("nan"),
        " " * 100_000 + "2018-01-02",
    ],
)
def test_what_means_no_time_is_none(value):
    assert utc_of(value) is None
