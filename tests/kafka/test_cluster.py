"""A cluster as an instrument: moved addresses and leaders, links that fail, a node that leaves."""

import asyncio
import socket

from tests.kafka.admin import brokers_seen_by
from tests.kafka.cluster import Cluster
from tests.kafka.reading import values
from tests.support import until


async def test_brokers_come_back_with_other_addresses(make_cluster, produce, topic):
    cluster = make_cluster()
    cluster.admin.create_topic(topic)
    door, old = cluster.door, cluster.bootstrap
    first = await produce(door.address)
    await first.send_and_wait(topic, b"old")

    await asyncio.to_thread(cluster.readdress)
    second = await produce(door.address)
    await second.send_and_wait(topic, b"new")

    assert cluster.bootstrap != old
    assert brokers_seen_by(old, seconds=1.0) == set()
    assert brokers_seen_by(door.address, seconds=5.0) == {1}
    assert values(door.address, topic) == [b"old", b"new"]


def test_a_port_that_is_taken_at_the_last_moment_is_changed(jars, tmp_path):
    class Squatted(Cluster):
        """Loses the first port it chose to somebody else."""

        def _move_in(self):
            super()._move_in()
            if not lost:
                lost.append(self.brokers[0].port)
                squatter.bind(("127.0.0.1", lost[0]))
                squatter.listen()

    lost = []
    with socket.socket() as squatter, Squatted(tmp_path / "cluster", jars=jars) as cluster:
        cluster.start()

        assert cluster.brokers[0].port not in lost
        assert brokers_seen_by(cluster.bootstrap, seconds=5.0) == {1}


async def test_a_silent_link_holds_requests_until_it_is_released(make_cluster, produce, topic):
    cluster = make_cluster(links=True)
    cluster.admin.create_topic(topic)
    link = cluster.links[1]
    producer = await produce(cluster.bootstrap)
    await producer.send_and_wait(topic, b"1")

    link.hold()
    held = await producer.send(topic, b"2")
    await asyncio.to_thread(until, lambda: link.held > 0)
    assert values(cluster.internal_bootstrap, topic) == [b"1"]
    assert not held.done()
    link.release()
    await held

    assert values(cluster.internal_bootstrap, topic) == [b"1", b"2"]


async def test_a_lost_answer_means_a_record_twice(make_cluster, produce, topic):
    cluster = make_cluster(links=True)
    cluster.admin.create_topic(topic)
    link = cluster.links[1]
    producer = await produce(cluster.bootstrap)
    await producer.send_and_wait(topic, b"1")

    link.hold(requests=False)
    unknown = await producer.send(topic, b"2")
    await asyncio.to_thread(until, lambda: link.held > 0)
    stored = values(cluster.internal_bootstrap, topic)
    link.cut()
    link.release()
    await unknown

    assert stored == [b"1", b"2"]
    assert values(cluster.internal_bootstrap, topic) == [b"1", b"2", b"2"]


async def test_three_brokers_survive_the_stop_of_one(cluster3, produce, topic):
    admin = cluster3.admin
    admin.create_topic(topic, partitions=3, replication=3)
    producer = await produce(cluster3.bootstrap)
    gone = cluster3.brokers[0]

    await asyncio.to_thread(gone.stop)
    try:
        for partition in range(3):
            await producer.send_and_wait(topic, b"%d" % partition, partition=partition)
        described = await asyncio.to_thread(cluster3.admin.describe, topic)
    finally:
        gone.start()
        await asyncio.to_thread(cluster3.wait_ready)
        await asyncio.to_thread(cluster3.admin.wait_whole)

    assert {p.leader for p in described.values()} == {2, 3}
    assert all(p.in_sync == {2, 3} for p in described.values())
    assert values(cluster3.bootstrap, topic) == [b"0", b"1", b"2"]


async def test_a_leader_moves_where_it_is_told(cluster3, produce, topic):
    admin = cluster3.admin
    admin.create_topic(topic, partitions=2, replication=3)
    producer = await produce(cluster3.bootstrap)
    await producer.send_and_wait(topic, b"before", partition=0)
    before = admin.describe(topic)
    to = before[0].leader % 3 + 1

    await asyncio.to_thread(admin.move_leader, topic, 0, to)
    await producer.send_and_wait(topic, b"after", partition=0)

    after = admin.describe(topic)
    assert after[0].leader == to
    assert after[0].whole
    assert set(after[0].replicas) == {1, 2, 3}
    assert after[1] == before[1]
    assert values(cluster3.bootstrap, topic) == [b"before", b"after"]
