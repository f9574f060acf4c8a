"""The secure listener as an instrument: whom it lets in, and to what."""

import ssl

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAuthorizationFailedError

from tests.kafka.reading import values
from tests.kafka.security import USERS


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
@pytest.mark.parametrize("user", USERS)
async def test_a_user_logs_in_over_tls(secure_kafka, produce, topic, user, mechanism):
    secure_kafka.admin.create_topic(topic)

    producer = await produce(secure_kafka.secure_bootstrap, **login(secure_kafka, user, mechanism))
    await producer.send_and_wait(topic, b"secret")

    assert values(secure_kafka.bootstrap, topic) == [b"secret"]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
async def test_a_wrong_password_is_refused(secure_kafka, produce, mechanism):
    wrong = login(secure_kafka, "alice", mechanism) | {"sasl_plain_password": "no"}

    with pytest.raises(KafkaError, match=r"(?i)authentication|bootstrap"):
        await produce(secure_kafka.secure_bootstrap, **wrong)


async def test_a_client_that_does_not_know_the_certificate_does_not_connect(secure_kafka, produce):
    distrusting = login(secure_kafka) | {"ssl_context": ssl.create_default_context()}

    with pytest.raises(KafkaConnectionError):
        await produce(secure_kafka.secure_bootstrap, **distrusting)


async def test_a_topic_may_be_forbidden_to_one_user(secure_kafka, produce, topic):
    secure_kafka.admin.create_topic(topic)
    secure_kafka.admin.forbid(topic, "mallory")
    alice = await produce(secure_kafka.secure_bootstrap, **login(secure_kafka, "alice"))
    mallory = await produce(secure_kafka.secure_bootstrap, **login(secure_kafka, "mallory"))

    await alice.send_and_wait(topic, b"alice")
    with pytest.raises(TopicAuthorizationFailedError):
        await mallory.send_and_wait(topic, b"mallory")

    assert values(secure_kafka.bootstrap, topic) == [b"alice"]


def login(cluster, user="alice", mechanism="SCRAM-SHA-512"):
    """Return settings of an aiokafka client of the secure listener."""
    return {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": user,
        "sasl_plain_password": USERS[user],
        "ssl_context": ssl.create_default_context(cafile=str(cluster.certificate)),
    }
