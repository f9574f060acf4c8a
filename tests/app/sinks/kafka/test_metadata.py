from types import SimpleNamespace

from app.sinks.kafka.metadata import Address, Metadata


def answer(topics=(), brokers=((1, "h", 9092, None),)):
    return SimpleNamespace(brokers=list(brokers), topics=list(topics), cluster_id="c")


def topic(name, *leaders, code=0):
    rows = [(0, number, leader, [1], [1], []) for number, leader in enumerate(leaders)]
    return (code, name, False, rows)


def test_it_learns_brokers_and_leaders():
    metadata = Metadata()

    denied = metadata.learn(answer([topic("a", 1, -1, 2)]), now=0.0)

    assert denied == {}
    assert metadata.partitions("a") == (1, -1, 2)
    assert metadata.partitions("b") is None
    assert metadata.brokers == {1: Address("h", 9092)}
    assert metadata.cluster_id == "c"


def test_a_topic_that_never_was_there_is_denied_and_not_kept():
    metadata = Metadata()

    denied = metadata.learn(answer([topic("a", code=3)]), now=0.0)

    assert denied == {"a": 3}
    assert metadata.wanted(0.0) == []
    assert metadata.missing_since == {}


def test_a_known_topic_survives_a_broker_that_has_not_heard_of_it():
    metadata = Metadata()
    metadata.learn(answer([topic("a", 1)]), now=0.0)

    metadata.learn(answer([topic("a", code=3)]), now=5.0)
    denied_since = dict(metadata.missing_since)
    metadata.learn(answer([topic("a", 2)]), now=6.0)

    assert denied_since == {"a": 5.0}
    assert metadata.partitions("a") == (2,)
    assert metadata.missing_since == {}


def test_topics_that_nobody_uses_are_forgotten():
    metadata = Metadata(keep=60.0)
    metadata.learn(answer([topic("a", 1), topic("b", 1)]), now=0.0)
    metadata.touch("a", 0.0)
    metadata.touch("b", 50.0)

    assert metadata.wanted(70.0) == ["b"]
    assert metadata.partitions("a") is None


def test_a_topic_without_a_leader_for_a_moment_keeps_its_partitions():
    metadata = Metadata()

    denied = metadata.learn(answer([topic("a", 1, -1, code=5)]), now=0.0)

    assert denied == {}
    assert metadata.partitions("a") == (1, -1)
