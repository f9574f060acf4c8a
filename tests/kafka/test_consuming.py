"""Consuming in a group, in this process, on a real broker; who takes the lines is a fake."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from app.consuming.group import consume_topic
from app.consuming.subscription import Subscription
from app.core.errors import ConfigError
from app.sinks.kafka.broker import Access
from app.sinks.kafka.security import Security
from tests.kafka.reading import QUIET
from tests.kafka.security import USERS
from tests.support import until

SECONDS = 60.0


class Taker:
    """Takes lines until it is told to hold; remembers what it saw, and what it was done with."""

    def __init__(self):
        self.seen = []
        self.done = []
        self.holding = False
        self.given_up = False
        self.refusing = frozenset()

    async def __call__(self, batch):
        for position, line in enumerate(batch.lines):
            self.seen.append(line.text)
            if self.holding:
                try:
                    await asyncio.Event().wait()
                finally:
                    self.given_up = True
            if line.text in self.refusing:
                continue
            batch.done[position] = True
            self.done.append(line.text)
        if not all(batch.done):
            await batch.left.wait()


def subscription(bootstrap, topic, **facts):
    facts = {
        "servers": bootstrap.split(","),
        "topic": topic,
        "group": f"group of {topic}",
        "begin": "earliest",
        "access": Access(client_id="test"),
        "quiet": 1.0,
    } | facts
    return Subscription(**facts)


@asynccontextmanager
async def consuming(consumed, take):
    stop = asyncio.Event()
    task = asyncio.create_task(consume_topic(consumed, take, stop, pauses=[0.05]))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait({task})
    await task


async def eventually(condition, seconds=SECONDS):
    await asyncio.to_thread(until, condition, seconds)


def write(bootstrap, topic, *texts, partition=0):
    producer = Producer({"bootstrap.servers": bootstrap, **QUIET})
    for text in texts:
        producer.produce(topic, text, partition=partition)
    assert producer.flush(SECONDS) == 0


def numbered(*numbers):
    return [b"%d" % number for number in numbers]


def committed(bootstrap, topic, partitions=1):
    """The group's offset on each partition, None where it has none."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"group of {topic}", **QUIET})
    try:
        wanted = [TopicPartition(topic, number) for number in range(partitions)]
        found = consumer.committed(wanted, timeout=SECONDS)
        return [None if each.offset < 0 else each.offset for each in found]
    finally:
        consumer.close()


@pytest.fixture(autouse=True)
def quiet_library():
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


async def test_lines_of_a_partition_are_taken_in_order_and_committed(kafka, topic):
    kafka.admin.create_topic(topic)
    write(kafka.bootstrap, topic, *numbered(*range(2_000)))
    taker = Taker()

    async with consuming(subscription(kafka.bootstrap, topic), taker):
        await eventually(lambda: len(taker.done) == 2_000)

    assert taker.seen == numbered(*range(2_000))
    assert committed(kafka.bootstrap, topic) == [2_000]


async def test_a_message_without_a_value_is_an_empty_line(kafka, topic):
    kafka.admin.create_topic(topic)
    write(kafka.bootstrap, topic, None)
    taker = Taker()

    async with consuming(subscription(kafka.bootstrap, topic), taker):
        await eventually(lambda: taker.done)

    assert taker.done == [b""]


async def test_who_begins_with_the_latest_line_misses_none_after_that(kafka, topic):
    kafka.admin.create_topic(topic)
    write(kafka.bootstrap, topic, *numbered(1, 2, 3))
    latest = subscription(kafka.bootstrap, topic, begin="latest")
    taker = Taker()

    async with consuming(latest, taker):
        await eventually(lambda: committed(kafka.bootstrap, topic) == [3])
    write(kafka.bootstrap, topic, *numbered(4, 5))
    async with consuming(latest, taker):
        await eventually(lambda: len(taker.done) == 2)

    assert taker.seen == numbered(4, 5)


async def test_lines_that_were_deleted_before_they_were_consumed_are_said_to_be_lost(
    kafka, topic, caplog
):
    kafka.admin.create_topic(topic)
    write(kafka.bootstrap, topic, *numbered(*range(10)))
    taker = Taker()
    taker.refusing = frozenset(numbered(2))
    async with consuming(subscription(kafka.bootstrap, topic), taker):
        await eventually(lambda: len(taker.done) == 9)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap, **QUIET})
    for deleted in admin.delete_records([TopicPartition(topic, 0, 6)]).values():
        deleted.result(SECONDS)
    successor = Taker()

    async with consuming(subscription(kafka.bootstrap, topic), successor):
        await eventually(lambda: len(successor.done) == 4)

    assert successor.seen == numbered(6, 7, 8, 9)
    (told,) = [r for r in caplog.records if r.levelname == "ERROR" and "deleted" in r.message]
    assert told.offsets == f"{topic}[0] 2"


async def test_what_is_done_before_a_line_that_is_not_is_committed_and_no_more(kafka, topic):
    kafka.admin.create_topic(topic)
    write(kafka.bootstrap, topic, *numbered(*range(10)))
    taker = Taker()
    taker.refusing = frozenset(numbered(7))
    successor = Taker()

    async with consuming(subscription(kafka.bootstrap, topic), taker):
        await eventually(lambda: len(taker.done) == 9)
    after_stop = committed(kafka.bootstrap, topic)
    async with consuming(subscription(kafka.bootstrap, topic), successor):
        await eventually(lambda: len(successor.done) == 3)

    assert after_stop == [7]
    assert successor.seen == numbered(7, 8, 9)


async def test_when_partitions_are_given_away_the_batch_in_work_is_left_for_who_gets_them(
    kafka, topic
):
    kafka.admin.create_topic(topic, 2)
    for partition in (0, 1):
        write(
            kafka.bootstrap,
            topic,
            b"%d first" % partition,
            b"%d stuck" % partition,
            partition=partition,
        )
    taker = Taker()
    taker.refusing = frozenset((b"0 stuck", b"1 stuck"))
    consumed = subscription(kafka.bootstrap, topic)
    other = Taker()

    async with consuming(consumed, taker):
        await eventually(lambda: len(taker.done) == 2)
        async with consuming(consumed, other):
            await eventually(lambda: other.done)
            taker.refusing = frozenset()

    (taken_over,) = other.done
    assert taken_over in {b"0 stuck", b"1 stuck"}
    assert sorted(taker.done)[:2] == [b"0 first", b"1 first"]


async def test_a_batch_that_does_not_end_is_given_up_and_never_committed(kafka, topic, caplog):
    kafka.admin.create_topic(topic, 2)
    for partition in (0, 1):
        write(kafka.bootstrap, topic, b"%d" % partition, partition=partition)
    taker = Taker()
    taker.holding = True
    consumed = subscription(kafka.bootstrap, topic, patience=0.3)
    other = Taker()

    async with consuming(consumed, taker):
        await eventually(lambda: taker.seen)
        async with consuming(consumed, other):
            await eventually(lambda: other.done)
            own = await asyncio.to_thread(committed, kafka.bootstrap, topic, 2)
            given_up = taker.given_up

    assert given_up
    assert sorted(own, key=str) == [0, 1]
    assert any("given up" in record.message for record in caplog.records)


async def test_when_all_brokers_have_moved_it_finds_them_again(make_cluster, topic):
    cluster = make_cluster()
    cluster.admin.create_topic(topic)
    taker = Taker()

    async with consuming(subscription(cluster.door.address, topic), taker):
        write(cluster.bootstrap, topic, b"before")
        await eventually(lambda: taker.done)
        await asyncio.to_thread(cluster.readdress)
        write(cluster.bootstrap, topic, b"after")
        await eventually(lambda: b"after" in taker.done)

    assert taker.done == [b"before", b"after"]
    assert committed(cluster.bootstrap, topic) == [2]


@pytest.mark.parametrize(
    ("kind", "words"),
    [(ResourceType.GROUP, "may not use the group"), (ResourceType.TOPIC, "may not read")],
    ids=["the group", "the topic"],
)
async def test_what_may_not_be_used_is_said_to_be_forbidden(secure_kafka, topic, kind, words):
    secure_kafka.admin.create_topic(topic)
    name = f"group of {topic}" if kind == ResourceType.GROUP else topic
    _forbid_reading(secure_kafka.admin.bootstrap, kind, name)
    write(secure_kafka.bootstrap, topic, b"1")
    security = Security(
        protocol="SASL_SSL",
        ca_file=str(secure_kafka.certificate),
        mechanism="SCRAM-SHA-512",
        username="mallory",
        password=USERS["mallory"],
    )
    access = Access(
        client_id="test",
        security_protocol=security.protocol,
        ssl_context=security.context(),
        sasl_mechanism=security.mechanism,
        username=security.username,
        password=security.password,
    )

    with pytest.raises(ConfigError, match=words):
        await consume_topic(
            subscription(secure_kafka.secure_bootstrap, topic, access=access),
            Taker(),
            asyncio.Event(),
        )


def _forbid_reading(bootstrap, kind, name):
    """Let everybody read but mallory, who may still see that it is there."""
    rules = [
        ("*", AclOperation.ALL, AclPermissionType.ALLOW),
        ("mallory", AclOperation.READ, AclPermissionType.DENY),
    ]
    admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
    made = admin.create_acls(
        [
            AclBinding(
                kind, name, ResourcePatternType.LITERAL, f"User:{user}", "*", operation, permission
            )
            for user, operation, permission in rules
        ]
    )
    for each in made.values():
        each.result(SECONDS)
