"""The real broker as an instrument: what it keeps, and that each fault does what it says."""

import asyncio
import time

import pytest
from aiokafka.errors import InvalidTimestampError, MessageSizeTooLargeError

from tests.kafka.admin import Message, brokers_seen_by, read_all
from tests.kafka.reading import values

NOW_MS = 1_000 * int(time.time())


async def test_a_record_is_read_back_with_key_headers_and_time(kafka, produce, topic):
    kafka.admin.create_topic(topic, partitions=3)
    producer = await produce(kafka.bootstrap)
    headers = [("type", b"a"), ("type", b""), ("\u00e9", b"\x00\xff")]

    told = await producer.send_and_wait(
        topic, b"\x00value", b"key", partition=2, timestamp_ms=NOW_MS - 5, headers=headers
    )

    assert await asyncio.to_thread(read_all, kafka.bootstrap, [topic]) == [
        Message(topic, 2, told.offset, b"key", b"\x00value", NOW_MS - 5, tuple(headers))
    ]


async def test_all_records_of_all_topics_are_read_in_order(kafka, produce, topic):
    names = [kafka.admin.create_topic(f"{topic}-{i}", partitions=2) for i in range(3)]
    producer = await produce(kafka.bootstrap, linger_ms=5)

    sent = [
        await producer.send(name, b"%d" % i, partition=i % 2)
        for name in names[:2]
        for i in range(3_000)
    ]
    await asyncio.gather(*sent)

    found = await asyncio.to_thread(read_all, kafka.bootstrap, names)
    assert [(m.topic, m.partition, m.offset, m.value) for m in found] == [
        (name, partition, offset, b"%d" % (2 * offset + partition))
        for name in names[:2]
        for partition in range(2)
        for offset in range(1_500)
    ]


def test_reading_a_topic_that_is_not_there_is_an_error(kafka, topic):
    with pytest.raises(LookupError, match=topic):
        read_all(kafka.bootstrap, [topic])


def test_topics_come_and_go(kafka, topic):
    admin = kafka.admin

    admin.create_topic(topic, config={"max.message.bytes": "4096"})
    assert topic in admin.topics()
    assert admin.describe(topic)[0].whole

    admin.delete_topic(topic)
    assert topic not in admin.topics()
    assert admin.describe(topic) == {}


async def test_it_refuses_the_far_future_and_the_oversized(kafka, produce, topic):
    kafka.admin.create_topic(topic, config={"max.message.bytes": "4096"})
    producer = await produce(kafka.bootstrap)

    with pytest.raises(InvalidTimestampError):
        await producer.send_and_wait(topic, b"x", timestamp_ms=NOW_MS + 7_200_000)
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send_and_wait(topic, b"x" * 5_000)

    assert await asyncio.to_thread(read_all, kafka.bootstrap, [topic]) == []


async def test_a_killed_broker_comes_back_with_all_it_acknowledged(make_cluster, produce, topic):
    cluster = make_cluster()
    broker = cluster.brokers[0]
    cluster.admin.create_topic(topic)
    producer = await produce(cluster.bootstrap)
    sent = [await producer.send(topic, b"%d" % i) for i in range(500)]
    await asyncio.gather(*sent)

    broker.kill()
    assert not broker.running
    assert brokers_seen_by(broker.address, seconds=1.0) == set()
    broker.start()
    broker.wait_ready()

    found = await asyncio.to_thread(read_all, cluster.bootstrap, [topic])
    assert [m.value for m in found] == [b"%d" % i for i in range(500)]


async def test_a_frozen_broker_is_silent_until_it_thaws(make_cluster, produce, topic):
    cluster = make_cluster()
    broker = cluster.brokers[0]
    cluster.admin.create_topic(topic)
    producer = await produce(cluster.bootstrap)
    await producer.send_and_wait(topic, b"before")

    broker.freeze()
    during = await producer.send(topic, b"during")
    assert await asyncio.to_thread(brokers_seen_by, broker.address, 1.0) == set()
    assert not during.done()
    broker.thaw()
    await during
    broker.wait_ready()

    found = values(cluster.bootstrap, topic)
    assert found[0] == b"before"
    assert set(found) == {b"before", b"during"}  # perhaps twice: producers try again


def test_a_frozen_broker_can_be_stopped_and_killed(make_cluster):
    cluster = make_cluster()
    broker = cluster.brokers[0]

    broker.freeze()
    broker.stop()
    assert not broker.running
    assert "shut down completed" in broker.log

    broker.start()
    broker.freeze()
    broker.kill()
    assert not broker.running
