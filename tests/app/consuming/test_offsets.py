from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from app.consuming.offsets import offsets_of

PARTITION = st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1)


@given(st.lists(PARTITION))
def test_everything_before_the_offset_is_done_and_what_it_points_at_is_not(partitions):
    records, flags = {}, {}
    for number, steps in enumerate(partitions):
        offset, records[number], flags[number] = 0, [], {}
        for step, done in steps:
            offset += step  # offsets have gaps: of transactions, and of compaction
            records[number].append(SimpleNamespace(offset=offset))
            flags[number][offset] = done

    offsets = offsets_of(records, [done for part in flags.values() for done in part.values()])

    for number, written in flags.items():
        upto = offsets.get(number, 0)
        assert all(done for offset, done in written.items() if offset < upto)
        rest = [done for offset, done in written.items() if offset >= upto]
        assert not rest or rest[0] is False


def test_there_is_nothing_to_commit_where_the_first_line_is_not_done():
    records = {"a": [SimpleNamespace(offset=3)], "b": [SimpleNamespace(offset=5)]}

    assert offsets_of(records, [False, True]) == {"b": 6}
