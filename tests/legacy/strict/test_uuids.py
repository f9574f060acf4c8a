from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.strict.errors import LOSSES
from legacy.strict.uuids import capsule_uuid, capsule_uuid_until_2017

NOW = datetime(2019, 11, 5, 10, 20, 30, tzinfo=UTC)


def test_identifiers_are_those_that_the_old_system_gave():
    capsule = {"recvFrom": "srv0.example.org", "seqId": 132073, "dt": "2013-01-19T23:16:38Z"}

    assert capsule_uuid(capsule, now=NOW) == "749684341abf513186c71f74c6a09502"


def test_identifiers_of_before_2017_use_ten_characters_of_the_timestamp():
    capsule = {"recvFrom": "cp3022.esams.wikimedia.org", "seqId": 132073}
    expected = "799341a01ba957c79b15dc4d2d950864"

    assert capsule_uuid_until_2017({**capsule, "timestamp": 1358637398}) == expected
    assert capsule_uuid_until_2017({**capsule, "timestamp": 1358637398.75}) == expected
    with pytest.raises(KeyError):
        capsule_uuid_until_2017(capsule)


def test_without_a_dt_the_timestamp_counts_and_without_that_the_present():
    part = {"recvFrom": "a", "seqId": 1}

    by_timestamp = capsule_uuid({**part, "timestamp": 1572949230}, now=NOW)
    by_dt = capsule_uuid({**part, "dt": "2019-11-05T10:20:30Z"}, now=NOW)
    assert by_timestamp == by_dt == capsule_uuid(part, now=NOW)


def test_what_is_missing_is_the_text_none():
    given = {"recvFrom": "None", "seqId": "None", "dt": "None"}

    assert capsule_uuid({"dt": None}, now=NOW) == capsule_uuid(given, now=NOW)


def test_a_timestamp_that_is_no_time_loses_the_event_even_beside_a_dt():
    with pytest.raises(LOSSES):
        capsule_uuid({"dt": "2018-01-02T03:04:05Z", "timestamp": "soon"}, now=NOW)


@given(st.text(st.characters(codec="utf-8")), st.integers())
def test_identifiers_are_32_lower_case_digits(host, number):
    name = capsule_uuid({"recvFrom": host, "seqId": number, "dt": "x"}, now=NOW)

    assert len(name) == 32
    assert int(name, 16) >> 76 & 0xF == 5
