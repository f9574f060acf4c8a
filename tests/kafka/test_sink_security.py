"""The Kafka sink over TLS with SCRAM, against a real broker."""

import pytest

from app.core.events import Delivery
from app.sinks.kafka.security import Security
from app.sinks.kafka.sink import KafkaSink
from tests.kafka.reading import read_all
from tests.kafka.security import USERS
from tests.kafka.test_sink_faults import record


def security(cluster, **changes):
    facts = {
        "protocol": "SASL_SSL",
        "ca_file": str(cluster.certificate),
        "mechanism": "SCRAM-SHA-512",
        "username": "alice",
        "password": USERS["alice"],
    }
    return Security(**(facts | changes))


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
async def test_the_right_password_over_tls_produces(secure_kafka, topic, mechanism):
    secure_kafka.admin.create_topic(topic)
    sink = KafkaSink(
        secure_kafka.secure_bootstrap.split(","),
        security=security(secure_kafka, mechanism=mechanism),
    )
    await sink.start()

    (answer,) = await sink.produce([record(topic, 1)])

    await sink.stop(5)
    assert isinstance(answer, Delivery)
    assert len(read_all(secure_kafka.bootstrap, [topic])) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "wrong"}, "uthentication"),
        ({"protocol": "SASL_PLAINTEXT", "ca_file": None}, "127.0.0.1"),
        ({"ca_file": None}, "TLS"),
    ],
    ids=["a wrong password", "no TLS", "an unknown certificate"],
)
async def test_what_is_wrong_is_said_and_nothing_is_stored(secure_kafka, topic, changes, words):
    secure_kafka.admin.create_topic(topic)
    sink = KafkaSink(
        secure_kafka.secure_bootstrap.split(","), security=security(secure_kafka, **changes)
    )
    await sink.start()

    (answer,) = await sink.produce([record(topic, 1)])
    health = await sink.healthy()

    await sink.stop(5)
    assert answer.reason == "sink_unavailable"
    assert not health.ok
    assert words in health.detail
    assert USERS["alice"] not in health.detail
    # A stranger learns nothing of the cluster.
    assert "127.0.0.1" not in f"{answer} {answer.hint}"
    assert read_all(secure_kafka.bootstrap, [topic]) == []


async def test_a_topic_that_may_not_be_written_is_said_to_be_forbidden(secure_kafka, topic):
    secure_kafka.admin.create_topic(topic)
    secure_kafka.admin.forbid(topic, "mallory")
    sink = KafkaSink(
        secure_kafka.secure_bootstrap.split(","),
        security=security(secure_kafka, username="mallory", password=USERS["mallory"]),
    )
    await sink.start()

    (answer,) = await sink.produce([record(topic, 1)])

    await sink.stop(5)
    assert answer.reason == "topic_unavailable"
    assert "TOPIC_AUTHORIZATION_FAILED" in str(answer)
