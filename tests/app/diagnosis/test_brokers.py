import pytest

from app.diagnosis.brokers import Acquaintance, may_number, meet_brokers
from app.sinks.kafka.broker import Access
from app.sinks.kafka.metadata import Address
from tests.app.diagnosis.fakebroker import IDENTITY, METADATA, FakeBroker, listening

ACCESS = Access("test")
NOWHERE = Address("127.0.0.1", 1)


async def met(*bootstrap: Address) -> Acquaintance:
    known = await meet_brokers(bootstrap, ACCESS, 1.0)
    known.close()
    return known


def of_level(known: Acquaintance, level: str) -> list[str]:
    return [each.text for each in known.findings if each.level == level]


async def test_a_whole_cluster_is_met_from_one_address():
    async with listening(FakeBroker(node_id=1)) as one, listening(FakeBroker(node_id=2)) as two:
        one.brokers = two.brokers = {1: one.address, 2: two.address}
        known = await met(one.address)

    assert [each.level for each in known.findings] == ["ok", "ok"]
    assert "Cluster fake: 2 brokers" in known.findings[-1].text
    assert known.nodes == {1, 2}
    assert set(known.connections) == {1, 2}


async def test_an_advertised_address_that_does_not_work_is_a_problem_though_bootstrap_does():
    async with listening(FakeBroker()) as broker:
        broker.brokers = {7: NOWHERE}
        known = await met(broker.address)

    (text,) = of_level(known, "problem")
    assert text.startswith("Broker 7 says that it is at 127.0.0.1:1, but from here")
    assert "refused" in text
    assert "advertised.listeners of broker 7" in known.findings[-1].advice


async def test_each_listener_is_judged_by_what_it_advertises():
    async with listening(FakeBroker()) as good, listening(FakeBroker()) as bad:
        bad.brokers = {1: NOWHERE}
        known = await met(bad.address, good.address)

    assert len(of_level(known, "problem")) == 1


async def test_an_advertised_address_that_leads_to_another_cluster_is_a_problem():
    async with (
        listening(FakeBroker(cluster_id="ours")) as ours,
        listening(FakeBroker(cluster_id="theirs")) as theirs,
    ):
        ours.brokers = {1: theirs.address}
        known = await met(ours.address)

    (text,) = of_level(known, "problem")
    assert "another cluster (theirs)" in text


async def test_bootstrap_addresses_of_two_clusters_are_a_problem():
    async with (
        listening(FakeBroker(cluster_id="one")) as one,
        listening(FakeBroker(cluster_id="two")) as two,
    ):
        known = await met(one.address, two.address)

    (text,) = of_level(known, "problem")
    assert "different clusters: one, two" in text


async def test_one_bootstrap_address_of_two_that_is_dead_is_only_a_warning():
    async with listening(FakeBroker()) as broker:
        known = await met(NOWHERE, broker.address)

    assert of_level(known, "warning") == ["127.0.0.1:1: the connection was refused."]
    assert of_level(known, "problem") == []


async def test_no_broker_at_all_is_a_problem_for_each_address():
    known = await met(NOWHERE)

    assert of_level(known, "problem") == ["127.0.0.1:1: the connection was refused."]
    assert known.any_connection is None


async def test_a_port_that_greets_and_then_hangs_up_most_likely_wants_sasl():
    async with listening(FakeBroker(silent_on={METADATA})) as broker:
        known = await met(broker.address)

    assert "does not answer a question" in of_level(known, "problem")[0]
    assert "SASL" in known.findings[0].advice


@pytest.mark.parametrize(
    ("codes", "level", "word"),
    [
        ([0], "ok", "gives out a producer id"),
        ([15, 14, 0], "ok", "gives out a producer id"),
        ([31], "warning", "CLUSTER_AUTHORIZATION_FAILED"),
    ],
    ids=["given", "given after a while", "refused"],
)
async def test_whether_batches_can_be_numbered_is_asked(codes, level, word):
    async with listening(FakeBroker(identity_codes=codes)) as broker:
        known = await meet_brokers([broker.address], ACCESS, 1.0)
        found = await may_number(known.any_connection, 1.0)
        known.close()

    assert found.level == level
    assert word in found.text


async def test_a_broker_that_does_not_answer_for_a_producer_id_is_a_warning():
    async with listening(FakeBroker(silent_on={IDENTITY})) as broker:
        known = await meet_brokers([broker.address], ACCESS, 1.0)
        found = await may_number(known.any_connection, 1.0)
        known.close()

    assert found.level == "warning"
    assert "did not answer" in found.text
