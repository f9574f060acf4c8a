from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.time import iso_of_ms, ms_of_iso

YEAR_9999 = 253_402_300_799_999


@given(st.integers(0, YEAR_9999))
def test_milliseconds_read_back_from_their_text(ms):
    text = iso_of_ms(ms)

    assert ms_of_iso(text) == ms
    assert len(text) == 24
    assert text.endswith("Z")


def test_the_format_is_iso_with_milliseconds_and_z():
    moment = datetime(2024, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)

    assert iso_of_ms(int(moment.timestamp() * 1000)) == "2024-02-03T04:05:06.789Z"


def test_an_offset_is_heeded_and_no_zone_means_utc():
    assert ms_of_iso("1970-01-01T02:00:01+02:00") == 1000
    assert ms_of_iso("1970-01-01T00:00:01") == 1000


@pytest.mark.parametrize("value", [None, 1, "", "yesterday", "2024-13-01T00:00:00Z", "9" * 100, {}])
def test_anything_else_is_no_time(value):
    assert ms_of_iso(value) is None
