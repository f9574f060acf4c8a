"""The Kafka sink against brokers that answer with errors, on demand or by nature."""

import asyncio
import contextlib
import gc
import json
import time

import pytest

from app.core.errors import EventTooLarge, RecordRefused, SinkUnavailable, TopicUnavailable
from app.core.events import Delivery, Record
from app.sinks.kafka.sink import KafkaSink
from tests.kafka.mock import Api
from tests.kafka.reading import read_all

NOW = object()


def record(topic, number=0, *, key=None, timestamp_ms=NOW, value=None):
    if timestamp_ms is NOW:
        timestamp_ms = int(time.time() * 1000)
    value = value or json.dumps({"number": number}).encode()
    return Record("my.stream", topic, value, key, timestamp_ms, "/my/schema/1.0.0")


@contextlib.asynccontextmanager
async def opened(bootstrap, **options):
    sink = KafkaSink(bootstrap.split(","), **options)
    await sink.start()
    try:
        yield sink
    finally:
        await sink.stop(5)


def numbers(messages):
    return [json.loads(message.value)["number"] for message in messages]


async def test_a_record_arrives_with_its_key_headers_and_timestamp(kafka, topic):
    kafka.admin.create_topic(topic, 3)
    stamp = int(time.time() * 1000) - 86_400_000

    async with opened(kafka.bootstrap) as sink:
        (answer,) = await sink.produce([record(topic, 7, key=b'{"k":1}', timestamp_ms=stamp)])

    (message,) = read_all(kafka.bootstrap, [topic])
    assert answer == Delivery("acked", topic, message.partition, message.offset)
    assert (message.key, message.value) == (b'{"k":1}', b'{"number": 7}')
    assert message.timestamp_ms == stamp
    assert dict(message.headers) == {
        "$schema": b"/my/schema/1.0.0",
        "content-type": b"application/json",
    }


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_every_compression_is_read_by_others(kafka, topic, compression):
    kafka.admin.create_topic(topic)

    async with opened(kafka.bootstrap, compression=compression) as sink:
        answers = await sink.produce([record(topic, number) for number in range(500)])

    assert all(isinstance(answer, Delivery) for answer in answers)
    assert numbers(read_all(kafka.bootstrap, [topic])) == list(range(500))


async def test_ten_thousand_concurrent_events_on_one_key_block_nobody(kafka, topic):
    kafka.admin.create_topic(topic, 3)
    value = json.dumps({"number": 0, "pad": "x" * 1000}).encode()
    stalls = []

    async def watch():
        # The time that this thread worked, so that other programs of the machine do not count.
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.005)
            stalls.append(time.thread_time() - before)

    gc.collect()
    gc.freeze()  # what hundreds of other tests have left is not to be looked through meanwhile
    async with opened(kafka.bootstrap) as sink:
        await sink.produce([record(topic)])  # connected, and the topic known
        # As many requests come in over time, not in one turn of the loop: each is its own task,
        # begun by a loop that goes on turning.
        watching = asyncio.create_task(watch())
        started = time.perf_counter()
        tasks = []
        for number in range(10_000):
            one = record(topic, number, key=b"one", value=value)
            tasks.append(asyncio.create_task(sink.produce([one])))
            if number % 100 == 99:
                await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks)
        took = time.perf_counter() - started
        watching.cancel()
    gc.unfreeze()

    print(
        f"\n10,000 events, one key: {10_000 / took:,.0f} events/s, worst stall {max(stalls):.3f} s"
    )
    assert all(isinstance(answer, Delivery) for (answer,) in answers)
    assert 10_000 / took >= 5_000
    assert max(stalls) < 0.1


async def test_a_refused_record_leaves_no_gap_in_the_numbers_of_its_partition(kafka, topic):
    """With aiokafka's producer the partition was stuck after this, until a restart."""
    kafka.admin.create_topic(topic, 1, config={"message.timestamp.before.max.ms": "3600000"})

    async with opened(kafka.bootstrap) as sink:
        for turn in range(5):
            batch = [record(topic, turn * 3 + n) for n in range(3)]
            batch[1] = record(topic, turn * 3 + 1, timestamp_ms=1)
            answers = await sink.produce(batch)
            kinds = [type(answer) for answer in answers]
            assert kinds == [Delivery, RecordRefused, Delivery]

    assert numbers(read_all(kafka.bootstrap, [topic])) == [
        turn * 3 + n for turn in range(5) for n in (0, 2)
    ]


async def test_a_record_that_is_too_large_is_found_in_its_batch(kafka, topic):
    kafka.admin.create_topic(topic, 1, config={"max.message.bytes": "10000"})
    batch = [record(topic, number) for number in range(40)]
    batch[23] = record(topic, value=b'{"pad":"%b"}' % (b"x" * 20_000))

    async with opened(kafka.bootstrap, compression="none") as sink:
        answers = await sink.produce(batch)

    assert [n for n, answer in enumerate(answers) if isinstance(answer, EventTooLarge)] == [23]
    assert sum(isinstance(answer, Delivery) for answer in answers) == 39
    assert numbers(read_all(kafka.bootstrap, [topic])) == [n for n in range(40) if n != 23]


async def test_timestamps_that_brokers_refuse_are_cut(kafka, topic):
    kafka.admin.create_topic(topic)
    now = int(time.time() * 1000)
    far = [now + 10 * 3_600_000, 2**62, -5]

    async with opened(kafka.bootstrap) as sink:
        answers = await sink.produce([record(topic, n, timestamp_ms=t) for n, t in enumerate(far)])

    assert all(isinstance(answer, Delivery) for answer in answers)
    stamps = [message.timestamp_ms for message in read_all(kafka.bootstrap, [topic])]
    assert all(0 <= stamp < now + 3_600_000 for stamp in stamps)


async def test_a_topic_that_does_not_exist_is_said_at_once_and_found_when_it_comes(kafka, topic):
    async with opened(kafka.bootstrap) as sink:
        started = time.monotonic()
        (first,) = await sink.produce([record(topic)])
        took = time.monotonic() - started
        started = time.monotonic()
        (second,) = await sink.produce([record(topic)])
        again = time.monotonic() - started
        kafka.admin.create_topic(topic)
        deadline = time.monotonic() + 8
        while isinstance((await sink.produce([record(topic, 1)]))[0], TopicUnavailable):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    assert isinstance(first, TopicUnavailable)
    assert isinstance(second, TopicUnavailable)
    assert took < 1.0
    assert again < 0.01


async def test_many_unknown_topics_are_not_kept(kafka):
    async with opened(kafka.bootstrap) as sink:
        answers = await sink.produce([record(f"no.such.topic.{n}") for n in range(1_200)])

        assert all(isinstance(a, TopicUnavailable | SinkUnavailable) for a in answers)
        assert not [t for t in sink._metadata.leaders if t.startswith("no.such")]
        assert len(sink._topics._absent) <= 1_000


async def test_a_topic_that_is_deleted_is_missed_within_seconds(kafka, topic):
    kafka.admin.create_topic(topic)

    async with opened(kafka.bootstrap) as sink:
        await sink.produce([record(topic)])
        kafka.admin.delete_topic(topic)
        deadline = time.monotonic() + 20
        while True:
            (answer,) = await sink.produce([record(topic)])
            if isinstance(answer, TopicUnavailable):
                break
            assert time.monotonic() < deadline


async def test_when_the_sending_task_dies_another_takes_over_and_nobody_waits(kafka, topic):
    kafka.admin.create_topic(topic)

    async with opened(kafka.bootstrap) as sink:
        await sink.produce([record(topic, 0)])
        (task,) = [t for t in asyncio.all_tasks() if t.get_name() == "kafka sending"]
        task.cancel()
        started = time.monotonic()
        calls = [asyncio.create_task(sink.produce([record(topic, n)])) for n in range(1, 200)]
        answers = await asyncio.gather(*calls)
        took = time.monotonic() - started

        assert sink.figures.generations == 2
    assert all(isinstance(answer, Delivery) for (answer,) in answers)
    assert took < 1.0
    assert sorted(numbers(read_all(kafka.bootstrap, [topic]))) == list(range(200))


async def test_beyond_its_bound_the_sink_refuses_at_once(make_cluster, topic):
    cluster = make_cluster()
    cluster.admin.create_topic(topic)
    value = b'{"pad":"%b"}' % (b"x" * 10_000)

    async with opened(cluster.bootstrap, max_pending_bytes=500_000) as sink:
        await sink.produce([record(topic)])
        cluster.brokers[0].freeze()
        started = time.monotonic()
        calls = [asyncio.create_task(sink.produce([record(topic, value=value)])) for _ in range(99)]
        done, waiting = await asyncio.wait(calls, timeout=0.3)
        refused = [task.result()[0] for task in done]
        waits = sink.figures.waiting_bytes
        cluster.brokers[0].thaw()
        await asyncio.gather(*waiting)
        took = time.monotonic() - started

    assert {answer.reason for answer in refused} == {"overloaded"}
    assert len(refused) >= 49
    assert waits <= 500_000
    assert took < 7.5


async def test_stopping_is_bounded_while_the_broker_hangs(make_cluster, topic):
    """With aiokafka's producer and idempotence this hung for ever."""
    cluster = make_cluster()
    cluster.admin.create_topic(topic)
    sink = KafkaSink(cluster.bootstrap.split(","))
    await sink.start()
    await sink.produce([record(topic)])
    cluster.brokers[0].freeze()
    calls = [asyncio.create_task(sink.produce([record(topic, n)])) for n in range(50)]
    await asyncio.sleep(0.1)

    started = time.monotonic()
    await sink.stop(2)
    took = time.monotonic() - started

    cluster.brokers[0].thaw()
    answers = await asyncio.gather(*calls)
    assert took < 3.5
    assert {answer.reason for (answer,) in answers} <= {"unknown_delivery", "sink_unavailable"}


# What only the mock can be made to answer.

RETRIED = {
    "LEADER_NOT_AVAILABLE": 5,
    "NOT_LEADER_OR_FOLLOWER": 6,
    "REQUEST_TIMED_OUT": 7,
    "NOT_ENOUGH_REPLICAS": 19,
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND": 20,
    "KAFKA_STORAGE_ERROR": 56,
    "CORRUPT_MESSAGE": 2,
    "UNKNOWN_SERVER_ERROR": -1,
    "OUT_OF_ORDER_SEQUENCE_NUMBER": 45,
    "UNKNOWN_PRODUCER_ID": 59,
    "INVALID_PRODUCER_EPOCH": 47,
}


class Noted:
    """Watches a sink, and remembers."""

    def __init__(self):
        self.retries = []
        self.generations = []

    def answered(self, seconds, batches, records, size):
        pass

    def retried(self, reason):
        self.retries.append(reason)

    def generation(self, reason):
        self.generations.append(reason)


@pytest.mark.parametrize("name", RETRIED)
async def test_what_may_pass_is_sent_again(mock_cluster, name):
    topic = mock_cluster.create_topic("t", 1)
    noted = Noted()

    async with opened(mock_cluster.bootstrap, watch=noted) as sink:
        await sink.produce([record(topic, 0)])
        mock_cluster.inject(Api.PRODUCE, RETRIED[name], RETRIED[name])
        answers = await sink.produce([record(topic, n) for n in (1, 2)])

    assert [type(answer) for answer in answers] == [Delivery, Delivery]
    assert noted.retries == [name, name]
    assert noted.generations == []


@pytest.mark.parametrize(
    ("code", "kind", "word"),
    [
        (29, TopicUnavailable, "TOPIC_AUTHORIZATION_FAILED"),
        (17, TopicUnavailable, "INVALID_TOPIC_EXCEPTION"),
        (32, RecordRefused, "INVALID_TIMESTAMP"),
        (87, RecordRefused, "INVALID_RECORD"),
        (44, RecordRefused, "POLICY_VIOLATION"),
        (10, EventTooLarge, "max.message.bytes"),
    ],
)
async def test_what_cannot_pass_is_refused_in_words(mock_cluster, code, kind, word):
    topic = mock_cluster.create_topic("t", 1)

    async with opened(mock_cluster.bootstrap) as sink:
        await sink.produce([record(topic, 0)])
        mock_cluster.inject(Api.PRODUCE, code)
        (refused,) = await sink.produce([record(topic, 1)])
        (after,) = await sink.produce([record(topic, 2)])

    assert type(refused) is kind
    assert word in f"{refused} {refused.expected}"
    assert isinstance(after, Delivery)


async def test_a_topic_that_may_not_be_described_is_said_to_be_forbidden(mock_cluster):
    topic = mock_cluster.create_topic("t", 1)
    mock_cluster.set_topic_error(topic, 29)

    async with opened(mock_cluster.bootstrap) as sink:
        started = time.monotonic()
        (answer,) = await sink.produce([record(topic)])
        took = time.monotonic() - started

    assert isinstance(answer, TopicUnavailable)
    assert "TOPIC_AUTHORIZATION_FAILED" in str(answer)
    assert took < 1.0


async def test_a_leader_that_moved_is_found(mock_cluster):
    topic = mock_cluster.create_topic("t", 1)
    mock_cluster.set_leader(topic, 0, 1)

    async with opened(mock_cluster.bootstrap) as sink:
        await sink.produce([record(topic, 0)])
        mock_cluster.set_leader(topic, 0, 2)
        started = time.monotonic()
        (answer,) = await sink.produce([record(topic, 1)])
        took = time.monotonic() - started

    assert isinstance(answer, Delivery)
    assert took < 2.0


async def test_a_broker_that_goes_down_and_comes_back_is_used_again(mock_cluster):
    topic = mock_cluster.create_topic("t", 1)
    mock_cluster.set_leader(topic, 0, 2)

    async with opened(mock_cluster.bootstrap) as sink:
        await sink.produce([record(topic, 0)])
        mock_cluster.set_down(2)
        waiting = asyncio.create_task(sink.produce([record(topic, 1)]))
        await asyncio.sleep(1)
        mock_cluster.set_up(2)
        (answer,) = await waiting

    assert isinstance(answer, Delivery)


async def test_a_cluster_without_producer_ids_is_used_without_numbers(mock_cluster):
    topic = mock_cluster.create_topic("t", 1)
    mock_cluster.inject(Api.INIT_PRODUCER_ID, *[31] * 3)

    async with opened(mock_cluster.bootstrap) as sink:
        (answer,) = await sink.produce([record(topic)])

    assert isinstance(answer, Delivery)


@pytest.fixture
def linked(make_cluster):
    """A broker that clients reach through a forwarder, which can lose what passes."""
    return make_cluster(links=True)


async def test_an_answer_that_is_lost_makes_no_double(linked, topic):
    linked.admin.create_topic(topic)
    link = linked.links[1]

    async with opened(linked.bootstrap) as sink:
        await sink.produce([record(topic, 0)])
        link.hold(requests=False)  # the broker stores it, and its answer does not get through
        waiting = asyncio.create_task(sink.produce([record(topic, n) for n in (1, 2)]))
        await asyncio.sleep(0.5)
        link.cut()
        link.release()
        answers = await waiting

    assert all(isinstance(answer, Delivery) for answer in answers)
    assert numbers(read_all(linked.internal_bootstrap, [topic])) == [0, 1, 2]


async def test_without_numbers_the_same_makes_a_double(linked, topic):
    """So the test above can fail."""
    linked.admin.create_topic(topic)
    link = linked.links[1]

    async with opened(linked.bootstrap, idempotence=False) as sink:
        await sink.produce([record(topic, 0)])
        link.hold(requests=False)
        waiting = asyncio.create_task(sink.produce([record(topic, 1)]))
        await asyncio.sleep(0.5)
        link.cut()
        link.release()
        await waiting

    assert numbers(read_all(linked.internal_bootstrap, [topic])) == [0, 1, 1]


async def test_what_follows_a_batch_given_up_in_doubt_is_never_taken_for_it(linked, topic):
    """A broker drops a batch whose number it knows, and says that it is stored."""
    linked.admin.create_topic(topic)
    link = linked.links[1]

    async with opened(linked.bootstrap, timeout=1.0, silence=30.0) as sink:
        await sink.produce([record(topic, 0)])
        link.hold(requests=False)
        (doubtful,) = await sink.produce([record(topic, 1)])
        link.cut()
        link.release()
        (after,) = await sink.produce([record(topic, 2)])
        if not isinstance(after, Delivery):  # while it connected anew
            (after,) = await sink.produce([record(topic, 2)])

    assert doubtful.reason == "unknown_delivery"
    assert isinstance(after, Delivery)
    stored = numbers(read_all(linked.internal_bootstrap, [topic]))
    assert 2 in stored
    assert stored[:2] == [0, 1]


async def test_a_topic_that_is_made_anew_takes_events_again(kafka, topic):
    kafka.admin.create_topic(topic)

    async with opened(kafka.bootstrap) as sink:
        await sink.produce([record(topic, n) for n in range(50)])
        kafka.admin.delete_topic(topic)
        kafka.admin.create_topic(topic)
        deadline = time.monotonic() + 20
        while True:
            (answer,) = await sink.produce([record(topic, 99)])
            if isinstance(answer, Delivery):
                break
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        answers = await sink.produce([record(topic, n) for n in range(100, 120)])

    assert all(isinstance(answer, Delivery) for answer in answers)
    assert set(range(100, 120)) <= set(numbers(read_all(kafka.bootstrap, [topic])))


async def test_five_hundred_new_topics_are_found_together(mock_cluster):
    topics = [mock_cluster.create_topic(f"t{n}", 1) for n in range(500)]

    async with opened(mock_cluster.bootstrap) as sink:
        started = time.monotonic()
        answers = await asyncio.gather(*(sink.produce([record(t)]) for t in topics))
        took = time.monotonic() - started

    assert all(isinstance(answer, Delivery) for (answer,) in answers)
    assert took < 2.0


async def test_an_event_that_a_broker_mistakes_for_another_is_stored_all_the_same(kafka, topic):
    """The last defence: were there a defect in our numbering, it would not lose events."""
    kafka.admin.create_topic(topic)
    noted = Noted()

    async with opened(kafka.bootstrap, watch=noted) as sink:
        await sink.produce([record(topic, 0)])
        sink._accumulator.lane(topic, 0).sequence = 0  # the number of the first, once more
        (answer,) = await sink.produce([record(topic, 1)])

    assert answer == Delivery("acked", topic, 0, 1)
    assert noted.retries == ["MISTAKEN_FOR_ANOTHER"]
    assert numbers(read_all(kafka.bootstrap, [topic])) == [0, 1]
