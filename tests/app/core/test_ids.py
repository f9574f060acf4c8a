import uuid

from app.core.ids import UuidPool


def test_ids_are_distinct_random_uuids_in_canonical_form():
    pool = UuidPool()

    ids = [pool.next() for _ in range(1000)]

    assert len(set(ids)) == 1000
    for text in ids:
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert parsed.version == 4
        assert parsed.variant == uuid.RFC_4122
