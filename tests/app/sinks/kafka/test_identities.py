from app.sinks.kafka.accumulator import ANONYMOUS, Batch, Identity, Lane
from app.sinks.kafka.identities import Identities

A, B = Identity(1, 0), Identity(2, 0)


def batch(count=1):
    return Batch([None] * count)


def numbered(identities, lane, count=1):
    one = batch(count)
    assert identities.number(lane, one)
    return one


def test_sequence_numbers_go_on_with_what_was_stored_per_lane():
    identities = Identities(wanted=True)
    identities.current = A
    lane, other = Lane("t", 0), Lane("t", 1)

    first = numbered(identities, lane, 3)
    identities.stored(lane, first)
    second = numbered(identities, lane, 2)
    elsewhere = numbered(identities, other)

    assert (first.sequence, second.sequence, elsewhere.sequence) == (0, 3, 0)


def test_a_refused_batch_leaves_no_gap():
    identities = Identities(wanted=True)
    identities.current = A
    lane = Lane("t", 0)

    numbered(identities, lane, 5)
    after = numbered(identities, lane, 2)

    assert after.sequence == 0


def test_a_batch_that_is_sent_again_keeps_its_number():
    identities = Identities(wanted=True)
    identities.current = A
    lane = Lane("t", 0)
    one = numbered(identities, lane)
    identities.current = B

    assert identities.number(lane, one)
    assert (one.identity, one.sequence) == (A, 0)


def test_a_retired_identity_is_never_used_again_and_its_lanes_begin_anew():
    identities = Identities(wanted=True)
    identities.current = A
    lane = Lane("t", 0)
    identities.stored(lane, numbered(identities, lane, 4))
    lost = numbered(identities, lane)

    identities.retire(lost.identity)
    without_one = identities.number(lane, batch())
    identities.current = B
    after = numbered(identities, lane)

    assert not without_one
    assert (after.identity, after.sequence) == (B, 0)


def test_retiring_an_older_identity_leaves_the_newer_in_force():
    identities = Identities(wanted=True)
    identities.current = B

    identities.retire(A)

    assert identities.current == B


def test_sequence_numbers_wrap_as_kafka_wants_them():
    identities = Identities(wanted=True)
    identities.current = A
    lane = Lane("t", 0)
    one = numbered(identities, lane)
    lane.sequence = one.sequence = 2**31 - 2

    identities.stored(lane, Batch([None] * 3, identity=A, sequence=2**31 - 2))

    assert lane.sequence == 1


def test_without_idempotence_batches_are_anonymous():
    identities = Identities(wanted=False)
    lane = Lane("t", 0)

    first = numbered(identities, lane, 3)
    identities.stored(lane, first)
    identities.retire(first.identity)
    second = numbered(identities, lane)

    assert first.identity is second.identity is ANONYMOUS
    assert first.sequence == second.sequence == -1
