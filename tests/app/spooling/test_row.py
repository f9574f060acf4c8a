import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spooling.row import CorruptRow, UnkeepableRecord, columns_of, row_of
from tests.app.sinks.contract import record

_INT64 = st.integers(-(2**63), 2**63 - 1)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_RECORDS = st.builds(
    record,
    stream=_TEXT,
    topic=_TEXT,
    value=st.binary(max_size=50),
    key=st.none() | st.binary(max_size=20),
    timestamp_ms=_INT64,
    schema_uri=_TEXT,
)


def as_stored(columns):
    return [c.encode() if isinstance(c, str) else c for c in columns]


@given(_RECORDS, _INT64, _INT64)
def test_a_row_is_read_back_as_it_was_written(kept, row_id, spooled_ms):
    row = row_of(as_stored(columns_of(row_id, kept, spooled_ms)))

    assert (row.id, row.record, row.spooled_ms) == (row_id, kept, spooled_ms)


@given(_RECORDS, st.integers(0, 8), st.none() | _INT64 | st.binary(max_size=20) | st.floats())
def test_a_row_with_one_other_value_is_corrupt(kept, at, other):
    columns = as_stored(columns_of(7, kept, 8))
    if columns[at] == other and type(columns[at]) is type(other):
        return
    columns[at] = other

    with pytest.raises(CorruptRow):
        row_of(columns)


def test_no_field_can_lend_a_byte_to_its_neighbour():
    columns = as_stored(columns_of(1, record(stream="ab", topic="c"), 2))
    columns[1:3] = [b"a", b"bc"]

    with pytest.raises(CorruptRow):
        row_of(columns)


@pytest.mark.parametrize("changes", [{"topic": "\ud800"}, {"timestamp_ms": 2**63}])
def test_what_sqlite_cannot_hold_is_said_to_be_so(changes):
    with pytest.raises(UnkeepableRecord):
        columns_of(1, record(**changes), 2)
