import asyncio

from app.diagnosis.kafka import Usage, examine_kafka
from app.diagnosis.streams import Configured
from app.diagnosis.topicconfigs import Demands
from app.sinks.kafka.broker import Access
from app.sinks.kafka.metadata import Address
from app.streams.configs import StreamConfigs
from tests.app.diagnosis.fakebroker import DESCRIBE, NOT_TOLD, FakeBroker, listening, partition

STREAMS = StreamConfigs.parse({"a": {"schema_title": "x"}, "b": {"schema_title": "x"}})


async def examined(address: Address, *, known: bool = True, **usage):
    streams: asyncio.Future[Configured] = asyncio.get_running_loop().create_future()
    streams.set_result(Configured([], STREAMS if known else None))
    whole = Usage([address], Access("test"), Demands(max_event_size=1_000), **usage)
    return [each async for each in examine_kafka(whole, streams, 1.0)]


def of_topics(findings):
    return [(each.level, each.text) for each in findings if each.area == "topics"]


async def test_topics_are_looked_at_without_letting_brokers_create_them():
    async with listening(FakeBroker(topics={"a": [partition()]})) as broker:
        findings = await examined(broker.address)

    assert of_topics(findings) == [
        ("ok", "1 topic with 1 partition, replication factor 1."),
        ("problem", "1 topic does not exist: their events are answered 503."),
        ("warning", "How these are configured could not be looked at: a."),
    ]
    assert {tuple(request.topics) for request in broker.asked} == {(), ("a", "b"), ("a",)}
    assert not any(request.allow_auto_topic_creation for request in broker.asked)


async def test_the_configuration_of_topics_is_judged():
    async with listening(FakeBroker()) as broker:
        broker.topics = {"a": [partition()], "b": [partition()]}
        broker.configs = {"a": {"max.message.bytes": "10"}, "b": {"max.message.bytes": "2000"}}
        findings = await examined(broker.address)

    (_, text) = of_topics(findings)[1]
    assert text == "max.message.bytes is 10, less than http.max_event_size (1,000): a."


async def test_whether_brokers_create_topics_is_found_out_where_they_are_to():
    async with listening(FakeBroker()) as broker:
        broker.configs = {"1": {"auto.create.topics.enable": "true"}}
        findings = await examined(broker.address, create=True)

    assert of_topics(findings) == [
        ("ok", "2 topics do not exist yet; brokers create them at the first event.")
    ]


async def test_without_streams_the_brokers_are_looked_at_all_the_same():
    async with listening(FakeBroker()) as broker:
        findings = await examined(broker.address, known=False)

    assert [each.level for each in findings] == ["ok", "ok", "ok", "warning"]
    assert "streams are not known" in findings[-1].text


async def test_numbers_are_not_asked_for_where_they_are_not_wanted():
    async with listening(FakeBroker(identity_codes=[31])) as broker:
        findings = await examined(broker.address, idempotence=False, known=False)

    assert not any("producer id" in each.text for each in findings)


async def test_without_a_broker_nothing_is_said_of_topics():
    findings = await examined(Address("127.0.0.1", 1))

    assert [(each.level, each.area) for each in findings] == [("problem", "kafka")]


async def test_a_topic_that_may_be_seen_and_not_written_is_a_problem():
    async with listening(FakeBroker()) as broker:
        broker.topics = {"a": [partition()], "b": [partition()]}
        broker.rights = {"a": DESCRIBE, "b": NOT_TOLD}
        findings = await examined(broker.address)

    assert of_topics(findings)[1] == (
        "problem",
        "This client may not write a: their events are answered 503.",
    )
