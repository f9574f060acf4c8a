import pytest

from app.sinks.kafka.accumulator import Batch
from app.sinks.kafka.partitioner import Partitioner
from tests.app.sinks.kafka.conftest import entry


@pytest.mark.parametrize(
    ("key", "signed"),
    # What Utils.murmur2 of Kafka's Java client returns; it then makes it positive.
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_a_key_goes_where_java_clients_put_it(accumulator, key, signed):
    partitioner = Partitioner(accumulator(), batch_bytes=100)

    assert partitioner.keyed("t", key, 1000).partition == (signed & 0x7FFFFFFF) % 1000


async def test_records_without_a_key_gather_in_one_lane_until_its_batch_is_full(
    accumulator, entries
):
    acc = accumulator(batch_bytes=50)
    partitioner = Partitioner(acc, batch_bytes=50)
    _, many = entries(400)
    lanes = []

    for each in many:
        lane = partitioner.unkeyed("t", (1, 1, 1, 1), now=0.0)
        acc.add(lane, [each], each.size, 0.0)
        lanes.append(lane.partition)

    assert len(set(lanes[:5])) == 1
    assert {lanes.count(number) for number in range(4)} <= set(range(50, 151))


async def test_a_partition_that_does_not_answer_gets_no_more_while_there_are_others(
    accumulator, entries
):
    acc = accumulator()
    partitioner = Partitioner(acc, batch_bytes=100)
    _, many = entries(1)
    stuck = partitioner.unkeyed("t", (1, 2), now=0.0)
    acc.add(stuck, many[:1], many[0].size, 0.0)
    acc.take(stuck, 0.0)

    soon = partitioner.unkeyed("t", (1, 2), now=0.4)
    later = {partitioner.unkeyed("t", (1, 2), now=0.6).partition for _ in range(20)}

    assert soon is not None
    assert later == {1 - stuck.partition}


def test_a_partition_without_a_leader_is_chosen_only_if_there_is_no_other(accumulator):
    partitioner = Partitioner(accumulator(), batch_bytes=100)

    assert {partitioner.unkeyed("t", (-1, 5, -1), 0.0).partition for _ in range(20)} == {1}
    assert partitioner.unkeyed("u", (-1,), 0.0).partition == 0


async def test_a_lane_that_fails_is_left_until_it_works_again(accumulator, entries):
    acc = accumulator()
    partitioner = Partitioner(acc, batch_bytes=100)
    failing = acc.lane("t", 0)
    failing.failures = 1
    failing.again.append(Batch([entry(entries(1)[0], 0)]))

    assert {partitioner.unkeyed("t", (1, 1), 0.0).partition for _ in range(20)} == {1}
