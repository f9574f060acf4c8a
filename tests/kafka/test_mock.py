"""librdkafka's mock cluster as an instrument: aiokafka meets the faults it is told to show."""

import asyncio
import time

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaConnectionError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from tests.kafka.mock import DISCONNECT, Api, MockCluster
from tests.support import until


@pytest.fixture
async def producer(mock_cluster):
    """An aiokafka producer with one partition, "orders" [0], led by broker 1."""
    mock_cluster.create_topic("orders", partitions=2, replication=3)
    mock_cluster.set_leader("orders", 0, 1)
    producer = AIOKafkaProducer(
        bootstrap_servers=mock_cluster.bootstrap, acks="all", retry_backoff_ms=10
    )
    await producer.start()
    yield producer
    await producer.stop()


async def send(producer):
    return await producer.send_and_wait("orders", b"v", partition=0)


async def test_a_record_is_acknowledged_with_its_offset(producer):
    first, second = await send(producer), await send(producer)

    assert (first.topic, first.partition, first.offset) == ("orders", 0, 0)
    assert second.offset == 1


@pytest.mark.parametrize("error", [MessageSizeTooLargeError, InvalidTimestampError])
async def test_the_injected_error_is_the_one_that_the_producer_sees(mock_cluster, producer, error):
    mock_cluster.inject(Api.PRODUCE, error.errno)

    with pytest.raises(error):
        await send(producer)

    await send(producer)  # only as many as were injected


async def test_errors_that_can_be_retried_are(mock_cluster, producer):
    await send(producer)
    mock_cluster.track_requests()
    retriable = NotLeaderForPartitionError.errno
    mock_cluster.inject(Api.PRODUCE, retriable, retriable)

    await send(producer)

    assert [r.broker for r in mock_cluster.requests(Api.PRODUCE)] == [1, 1, 1]


async def test_injected_errors_can_be_taken_back(mock_cluster, producer):
    mock_cluster.inject(Api.PRODUCE, MessageSizeTooLargeError.errno)

    mock_cluster.forget_errors(Api.PRODUCE)

    await send(producer)


async def test_one_broker_can_be_late_without_an_error(mock_cluster, producer):
    mock_cluster.inject_at(1, Api.PRODUCE, 0, rtt_ms=300)
    assert mock_cluster.errors_left(1, Api.PRODUCE) == 1

    began = time.monotonic()
    await send(producer)

    assert time.monotonic() - began >= 0.29
    assert mock_cluster.errors_left(1, Api.PRODUCE) == 0


async def test_errors_of_one_broker_are_not_those_of_another(mock_cluster, producer):
    mock_cluster.inject_at(2, Api.PRODUCE, MessageSizeTooLargeError.errno)

    await send(producer)

    assert mock_cluster.errors_left(2, Api.PRODUCE) == 1


async def test_every_answer_can_be_late(mock_cluster, producer):
    await send(producer)
    mock_cluster.set_rtt(200)

    began = time.monotonic()
    await send(producer)

    assert time.monotonic() - began >= 0.19


async def test_a_connection_closes_instead_of_an_answer(mock_cluster, producer):
    await send(producer)
    mock_cluster.track_requests()
    mock_cluster.inject(Api.PRODUCE, DISCONNECT)

    await send(producer)

    assert len(mock_cluster.requests(Api.PRODUCE)) == 2


async def test_a_moved_leader_is_followed(mock_cluster, producer):
    await send(producer)
    mock_cluster.track_requests()

    mock_cluster.set_leader("orders", 0, 3)
    await send(producer)

    assert [r.broker for r in mock_cluster.requests(Api.PRODUCE)] == [1, 3]


async def test_a_broker_that_is_down_is_waited_for(mock_cluster, producer):
    await send(producer)
    mock_cluster.set_down(1)
    mock_cluster.track_requests()

    waiting = await producer.send("orders", b"v", partition=0)
    await asyncio.to_thread(until, lambda: mock_cluster.requests(Api.METADATA))
    assert not waiting.done()
    mock_cluster.set_up(1)

    assert (await waiting).offset == 1


async def test_without_any_broker_no_producer_starts(mock_cluster):
    mock_cluster.set_down()
    producer = AIOKafkaProducer(bootstrap_servers=mock_cluster.bootstrap)

    with pytest.raises(KafkaConnectionError):
        await producer.start()

    await producer.stop()


async def test_a_topic_is_forbidden(mock_cluster, producer):
    mock_cluster.create_topic("secrets")
    mock_cluster.set_topic_error("secrets", TopicAuthorizationFailedError.errno)

    with pytest.raises(TopicAuthorizationFailedError):
        await producer.send("secrets", b"v")


def test_a_mistake_is_told_with_librdkafkas_word_for_it(mock_cluster):
    mock_cluster.create_topic("orders")

    with pytest.raises(ValueError, match="TOPIC_ALREADY_EXISTS"):
        mock_cluster.create_topic("orders")
    with pytest.raises(ValueError, match="UNKNOWN_BROKER"):
        mock_cluster.inject_at(9, Api.PRODUCE, UnknownTopicOrPartitionError.errno)


def test_closing_twice_is_closing_once():
    cluster = MockCluster(brokers=1)

    cluster.close()
    cluster.close()
