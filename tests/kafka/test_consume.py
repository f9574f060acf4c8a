"""`sluiceway consume` in processes of their own, on a real broker."""

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from urllib.parse import quote

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from tests.kafka.reading import QUIET, read_all
from tests.kafka.security import USERS
from tests.support import ROOT, SLUICEWAY, environment, sluiceway, until

PARTITIONS = 4
SECONDS = 60.0
NOT_YET = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE)


def line(number):
    """A line of the last old format, whose event has this revision."""
    capsule = {
        "schema": "DemoButtonClick",
        "revision": number,
        "wiki": "demo",
        "event": {"button": "save"},
    }
    return f"?{quote(json.dumps(capsule))};\tcp1\t{number}\t2018-03-04T05:06:07\t192.0.2.1\t-"


def write(bootstrap, topic, numbers, *, partitions=PARTITIONS, **security):
    """Write lines, each partition's in order; whole texts instead of numbers are taken as such."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, **QUIET, **security})
    for place, number in enumerate(numbers):
        text = number if isinstance(number, str) else line(number)
        producer.produce(topic, text.encode(), partition=place % partitions)
        producer.poll(0)
    assert producer.flush(SECONDS) == 0


def committed(bootstrap, topic, *, partitions=PARTITIONS, group="sluiceway"):
    """How many lines of a topic its consumers said to be done with."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, **QUIET})
    wanted = [TopicPartition(topic, number) for number in range(partitions)]
    deadline = time.monotonic() + SECONDS
    try:
        while True:
            try:
                offsets = consumer.committed(wanted, timeout=SECONDS)
                return sum(max(0, each.offset) for each in offsets)
            except KafkaException as error:  # a new group has no coordinator for a moment
                if error.args[0].code() not in NOT_YET or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
    finally:
        consumer.close()


def settings_of(folder, topic, bootstrap, **sink):
    """Settings for lines to end in `topic.out`, and what is wrong with them in `topic.errors`."""
    mapping = {
        "schema_uri": "/demo/legacy/buttonclick/1.0.0",
        "stream": f"{topic}.out",
    }
    (folder / "mapping.yaml").write_text(json.dumps({"schemas": {"DemoButtonClick": mapping}}))
    stream = {"schema_title": "demo/legacy/buttonclick"}
    (folder / "streams.yaml").write_text(json.dumps({f"{topic}.out": stream}))
    settings = {
        "schemas": {"base_uris": [str(ROOT / "app/demo/schemas")]},
        "streams": {"uri": str(folder / "streams.yaml")},
        "legacy": {"mapping": str(folder / "mapping.yaml")},
        "error_stream": {"name": f"{topic}.errors"},
        "sink": {"type": "kafka", "bootstrap_servers": bootstrap.split(","), **sink},
    }
    (folder / "settings.yaml").write_text(json.dumps(settings))
    return "settings.yaml"


def make_topics(source, topic, sink=None):
    source.admin.create_topic(topic, PARTITIONS)
    for name in ("out", "errors"):
        (sink or source).admin.create_topic(f"{topic}.{name}", 2)


class Running:
    """A consumer in a process of its own."""

    def __init__(self, process, log):
        self.process = process
        self._log = log

    @property
    def log(self):
        return self._log.read_text()

    @property
    def assigned(self):
        """How many partitions it has, None before it has any word of that."""
        found = re.findall(r"Partitions were assigned\. \(partitions=(.*)\)", self.log)
        return None if not found else found[-1].count("[")

    @property
    def summary(self):
        (found,) = re.findall(r"The consumer has ended\. \((.*)\)", self.log)
        return {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", found)}

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        return self.process.wait(40)


@contextmanager
def consuming(folder, bootstrap, topic, *args):
    log = folder / f"log-{os.urandom(3).hex()}.txt"
    command = [*SLUICEWAY, "consume", "--kafka", bootstrap, "--topic", topic, *args]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--config", "settings.yaml"],
            cwd=folder,
            env=environment(),
            stderr=errors,
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def events_in(bootstrap, topic):
    return [json.loads(message.value) for message in read_all(bootstrap, [f"{topic}.out"])]


def numbers_of(events):
    return Counter(event["revision"] for event in events)


def test_every_line_becomes_an_event_and_every_bad_one_is_told_of(kafka, topic, tmp_path):
    make_topics(kafka, topic)
    settings_of(tmp_path, topic, kafka.bootstrap)
    write(
        kafka.bootstrap, topic, [*range(1_000), "junk", "?%7B;\tcp1\t1\t2018-03-04T05:06:07\t-\t-"]
    )

    with consuming(tmp_path, kafka.bootstrap, topic) as consumer:
        until(lambda: committed(kafka.bootstrap, topic) == 1_002, SECONDS)
        ended = consumer.stop()
    events = events_in(kafka.bootstrap, topic)
    errors = [json.loads(m.value) for m in read_all(kafka.bootstrap, [f"{topic}.errors"])]

    assert ended == 0
    assert numbers_of(events) == Counter(range(1_000))
    assert [error["reason"] for error in errors] == ["malformed"] * 2
    assert consumer.summary.items() >= {"lines": 1_002, "accepted": 1_000, "invalid": 2}.items()


def test_who_is_killed_is_followed_by_another_and_nothing_is_lost(kafka, topic, tmp_path):
    make_topics(kafka, topic)
    settings_of(tmp_path, topic, kafka.bootstrap)
    write(kafka.bootstrap, topic, range(30_000))

    with consuming(tmp_path, kafka.bootstrap, topic) as first:
        until(lambda: committed(kafka.bootstrap, topic) > 0, SECONDS)
        first.stop(signal.SIGKILL)
    left = 30_000 - committed(kafka.bootstrap, topic)
    with consuming(tmp_path, kafka.bootstrap, topic) as second:
        until(lambda: committed(kafka.bootstrap, topic) == 30_000, SECONDS)
        ended = second.stop()
    events = events_in(kafka.bootstrap, topic)

    assert left > 0, "the first was too fast to be killed in the middle"
    assert ended == 0
    assert second.summary["accepted"] == left
    assert set(numbers_of(events)) == set(range(30_000))
    # What was written twice is the same event twice.
    assert len({event["meta"]["id"] for event in events}) == 30_000


def test_who_was_frozen_while_others_went_on_does_no_harm_when_it_wakes(kafka, topic, tmp_path):
    make_topics(kafka, topic)
    settings_of(tmp_path, topic, kafka.bootstrap)
    write(kafka.bootstrap, topic, range(30_000))

    with consuming(tmp_path, kafka.bootstrap, topic) as first:
        until(lambda: committed(kafka.bootstrap, topic) > 0, SECONDS)
        first.process.send_signal(signal.SIGSTOP)
        left = 30_000 - committed(kafka.bootstrap, topic)
        with consuming(tmp_path, kafka.bootstrap, topic) as second:
            until(lambda: committed(kafka.bootstrap, topic) == 30_000, SECONDS)
            first.process.send_signal(signal.SIGCONT)
            until(lambda: (first.assigned, second.assigned) == (2, 2), SECONDS)
            write(kafka.bootstrap, topic, range(30_000, 31_000))
            until(lambda: committed(kafka.bootstrap, topic) == 31_000, SECONDS)
            ended = [first.stop(), second.stop()]
    events = events_in(kafka.bootstrap, topic)

    assert left > 0, "the first was too fast to be frozen in the middle"
    assert ended == [0, 0]
    assert set(numbers_of(events)) == set(range(31_000))
    assert len({event["meta"]["id"] for event in events}) == 31_000
    assert numbers_of(events).total() <= 31_000 + 500  # at most a batch is there twice


def test_two_share_the_partitions_and_the_one_that_stays_takes_them_all(kafka, topic, tmp_path):
    make_topics(kafka, topic)
    settings_of(tmp_path, topic, kafka.bootstrap)

    with (
        consuming(tmp_path, kafka.bootstrap, topic) as first,
        consuming(tmp_path, kafka.bootstrap, topic) as second,
    ):
        until(lambda: (first.assigned, second.assigned) == (2, 2), SECONDS)
        write(kafka.bootstrap, topic, range(4_000))
        until(lambda: committed(kafka.bootstrap, topic) == 4_000, SECONDS)
        ended = [second.stop()]
        until(lambda: first.assigned == PARTITIONS, SECONDS)
        write(kafka.bootstrap, topic, range(4_000, 4_100))
        until(lambda: committed(kafka.bootstrap, topic) == 4_100, SECONDS)
        ended.append(first.stop(signal.SIGINT))

    assert ended == [0, 0]
    assert (first.summary["lines"], second.summary["lines"]) == (2_100, 2_000)
    assert numbers_of(events_in(kafka.bootstrap, topic)) == Counter(range(4_100))


def test_who_joins_in_the_middle_of_the_work_makes_no_line_lost_or_doubled(kafka, topic, tmp_path):
    make_topics(kafka, topic)
    settings_of(tmp_path, topic, kafka.bootstrap)
    write(kafka.bootstrap, topic, range(60_000))

    with consuming(tmp_path, kafka.bootstrap, topic) as first:
        until(lambda: committed(kafka.bootstrap, topic) > 0, SECONDS)
        with consuming(tmp_path, kafka.bootstrap, topic) as second:
            until(lambda: committed(kafka.bootstrap, topic) == 60_000, SECONDS)
            ended = [first.stop(), second.stop()]
    events = events_in(kafka.bootstrap, topic)

    assert ended == [0, 0]
    assert second.summary["lines"] > 0, "the first was too fast for the second to share the work"
    assert numbers_of(events) == Counter(range(60_000))


def test_while_the_sink_is_away_nothing_is_committed_and_it_goes_on_later(
    kafka, make_cluster, topic, tmp_path
):
    sink = make_cluster()
    make_topics(kafka, topic, sink)
    settings_of(tmp_path, topic, sink.bootstrap)
    write(kafka.bootstrap, topic, range(100))

    with consuming(tmp_path, kafka.bootstrap, topic) as consumer:
        until(lambda: committed(kafka.bootstrap, topic) == 100, SECONDS)
        sink.stop()
        write(kafka.bootstrap, topic, [*range(100, 3_000), *["junk"] * 10])
        until(lambda: "tries=3" in consumer.log, SECONDS)
        while_away = committed(kafka.bootstrap, topic)
        for broker in sink.brokers:
            broker.start()
        sink.wait_ready()
        until(lambda: committed(kafka.bootstrap, topic) == 3_010, SECONDS)
        ended = consumer.stop()
    events = events_in(sink.bootstrap, topic)
    errors = read_all(sink.bootstrap, [f"{topic}.errors"])

    assert while_away == 100
    assert ended == 0
    assert set(numbers_of(events)) == set(range(3_000))
    assert len({event["meta"]["id"] for event in events}) == 3_000
    assert len(errors) >= 10
    assert consumer.summary["retried"] > 0
    assert consumer.summary["lines"] == 3_010


def test_who_is_stopped_while_the_sink_is_away_leaves_at_once_and_leaves_the_lines(
    kafka, make_cluster, topic, tmp_path
):
    sink = make_cluster()
    make_topics(kafka, topic, sink)
    settings_of(tmp_path, topic, sink.bootstrap)
    sink.stop()
    write(kafka.bootstrap, topic, range(100))

    with consuming(tmp_path, kafka.bootstrap, topic) as consumer:
        until(lambda: "tries=2" in consumer.log, SECONDS)
        began = time.monotonic()
        ended = consumer.stop()
        took = time.monotonic() - began

    assert (ended, committed(kafka.bootstrap, topic)) == (0, 0)
    assert took < 15


def test_over_tls_with_a_password_as_the_sink_s_settings_say(secure_kafka, topic, tmp_path):
    make_topics(secure_kafka, topic)
    settings_of(
        tmp_path,
        topic,
        secure_kafka.secure_bootstrap,
        security_protocol="SASL_SSL",
        tls={"ca_file": str(secure_kafka.certificate)},
        sasl={"mechanism": "SCRAM-SHA-512", "username": "alice", "password": USERS["alice"]},
    )
    write(secure_kafka.bootstrap, topic, range(10))

    with consuming(tmp_path, secure_kafka.secure_bootstrap, topic) as consumer:
        until(lambda: committed(secure_kafka.bootstrap, topic) == 10, SECONDS)
        ended = consumer.stop()

    assert ended == 0
    assert len(events_in(secure_kafka.bootstrap, topic)) == 10


def test_a_topic_that_is_not_there_is_a_mistake_and_stays_missing(kafka, topic, tmp_path):
    settings_of(tmp_path, topic, kafka.bootstrap)

    done = sluiceway(
        tmp_path,
        *("consume", "--kafka", kafka.bootstrap, "--topic", topic, "--config", "settings.yaml"),
    )

    assert done.returncode == 2
    assert f"There is no topic {topic}" in done.stderr
    assert topic not in kafka.admin.topics()
