"""Faults of a single broker under load, each with its ledger; docs/reliability.md keeps them."""

import asyncio
import json
import os
import signal
import time
from urllib.parse import urlsplit

import pytest

from tests.kafka.load import event_of, post
from tests.kafka.scenario import DEADLINE, make_topics, settings_of, under_load
from tests.support import served, until

IN_TIME = DEADLINE + 0.5


def sound(ledger, *, in_order=True):
    """Nothing lost, nothing false, nothing out of order, doubles only where they are allowed."""
    assert ledger.sent > 0
    assert ledger.lost == 0
    assert ledger.false_accepted == 0
    assert ledger.bad_doubles == 0
    assert not in_order or ledger.out_of_order == 0
    return True


@pytest.fixture
def broker(make_cluster):
    """A broker of this test's own with all topics."""
    cluster = make_cluster()
    make_topics(cluster.admin)
    return cluster


def revive(cluster):
    """Start what was killed, on the same data and addresses."""
    for broker in cluster.brokers:
        if not broker.running:
            broker.start()
    cluster.wait_ready()


async def off_loop(work, *args):
    return await asyncio.to_thread(work, *args)


async def test_without_a_fault_everything_is_acknowledged_once(broker, tmp_path):
    async with under_load(tmp_path, broker.bootstrap, workers=2) as scenario:
        await asyncio.sleep(5)

    ledger = scenario.ledger("none")
    assert sound(ledger)
    assert set(ledger.told) == {"201"}
    assert ledger.in_kafka == ledger.sent
    assert ledger.doubles == 0


@pytest.mark.parametrize("spool", [False, True], ids=["refusing", "spooling"])
async def test_the_broker_is_killed_for_half_a_minute(broker, tmp_path, spool):
    async with under_load(tmp_path, broker.bootstrap, workers=2, spool=spool) as scenario:
        await off_loop(broker.kill)
        killed_at = time.monotonic()
        await asyncio.sleep(30)
        late = [each.took for each in scenario.load.answers if each.at > killed_at + 15]
        await off_loop(revive, broker)
        restarted_at = time.monotonic()
        await asyncio.sleep(4)
        if spool:
            await scenario.drained()
            await asyncio.sleep(2)
        recovered = [
            each.status
            for each in scenario.load.answers
            if each.at > restarted_at and each.status == 201
        ]
        ledger_time = scenario.load.slowest()
    ledger = await off_loop(
        scenario.ledger, f"broker killed for 30 s, {'spool' if spool else 'no spool'}"
    )
    assert sound(ledger)
    assert ledger_time < IN_TIME
    assert recovered
    if spool:
        assert ledger.told["202"] > 0
        assert "503" not in ledger.told
    else:
        assert ledger.told["503"] > 0
        # Once it is known that Kafka is away nobody waits.
        assert sorted(late)[len(late) // 2] < 0.1


async def test_the_broker_is_frozen_and_thawed(broker, tmp_path):
    async with under_load(tmp_path, broker.bootstrap, workers=2, spool=True) as scenario:
        broker.brokers[0].freeze()
        await asyncio.sleep(12)
        broker.brokers[0].thaw()
        await asyncio.sleep(4)
        await scenario.drained()

    ledger = await off_loop(scenario.ledger, "broker frozen for 12 s, spool")
    assert sound(ledger)
    assert ledger.told["202"] > 0
    assert ledger.slowest < IN_TIME


async def test_all_brokers_return_with_new_addresses(broker, tmp_path):
    async with under_load(tmp_path, broker.door.address) as scenario:
        await off_loop(broker.readdress)
        back_at = time.monotonic()
        while not any(a.status == 201 for a in scenario.load.answers if a.at > back_at):
            assert time.monotonic() < back_at + 15
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        pid = scenario.service.process.pid
        assert scenario.service.process.poll() is None

    scenario.bootstrap = broker.bootstrap
    ledger = await off_loop(scenario.ledger, "all brokers back with new addresses")
    assert sound(ledger)
    assert pid == scenario.service.process.pid
    assert ledger.slowest < IN_TIME


@pytest.mark.parametrize("state", ["up", "frozen", "down"])
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
async def test_the_service_is_ended_under_load(broker, tmp_path, state, sig):
    folder = tmp_path / "service"
    folder.mkdir()
    async with under_load(folder, broker.bootstrap, spool=True) as scenario:
        if state == "frozen":
            broker.brokers[0].freeze()
            await asyncio.sleep(6)
        elif state == "down":
            await off_loop(broker.kill)
            await asyncio.sleep(6)
        scenario.service.process.send_signal(sig)
        ended = time.monotonic()
        await off_loop(scenario.service.process.wait, 30)
        took = time.monotonic() - ended
        await asyncio.sleep(0.5)
    if state == "frozen":
        broker.brokers[0].thaw()
    elif state == "down":
        await off_loop(revive, broker)
    await off_loop(broker.wait_ready)
    # Whoever starts next in that folder finds the spool that was left, and empties it.
    sent, answers = scenario.load.sent, scenario.load.answers
    async with under_load(folder, broker.bootstrap, spool=True, load={"clients": 0}) as successor:
        await successor.drained()

    successor.load.sent, successor.load.answers = sent, answers
    ledger = await off_loop(successor.ledger, f"{sig.name}, Kafka {state}, spool, and a successor")
    assert sound(ledger)
    assert took < 21
    if state != "up":
        assert ledger.told["202"] > 0


async def test_one_of_two_workers_is_killed(broker, tmp_path):
    async with under_load(tmp_path, broker.bootstrap, workers=2, spool=True) as scenario:
        supervisor = scenario.service.process.pid
        workers = [int(pid) for pid in _children(supervisor)]
        await off_loop(broker.kill)
        await asyncio.sleep(6)  # both have something in their spools
        files = sorted(path.name for path in (tmp_path / "spool").glob("spool-*.db"))
        os.kill(workers[0], signal.SIGKILL)
        killed_at = time.monotonic()
        await asyncio.sleep(5)
        after = [each.status for each in scenario.load.answers if each.at > killed_at + 0.2]
        now = [int(pid) for pid in _children(supervisor)]
        await off_loop(revive, broker)
        await asyncio.sleep(4)
        await scenario.drained()

    ledger = await off_loop(scenario.ledger, "a worker of two killed, Kafka away, spool")
    assert len(workers) == len(files) == 2
    assert len(now) == 2
    assert workers[0] not in now
    assert after
    # A client of the dead worker went on with the other one, which has a spool of its own: its
    # later events may be produced before those that the successor finds. Order is a process's.
    assert sound(ledger, in_order=False)


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123 (no file of a disk)
        return file.read().split()


async def test_a_bad_record_harms_no_neighbour_and_is_told_about(broker, tmp_path):
    settings = {"meta_dt": "client", "http": {"max_event_size": 4_000_000}}
    async with under_load(tmp_path, broker.bootstrap, **settings) as scenario:
        admin = broker.admin
        await off_loop(
            lambda: admin.create_topic(
                "ledger.nowhere", 1, 1, {"message.timestamp.before.max.ms": "3600000"}
            )
        )
        address = urlsplit(scenario.service.url)
        streams = await asyncio.open_connection(address.hostname, address.port)
        old = event_of("ledger.nowhere", "old", "x", 1)
        old["meta"]["dt"] = "2001-01-01T00:00:00Z"
        noise = os.urandom(1_200_000).hex()
        large = event_of("ledger.a", "large", "x", 2) | {"pad": noise}
        fine = [event_of(name, f"fine-{name}", "x", 3) for name in ("ledger.a", "ledger.nowhere")]
        batch = [fine[0], old, large, fine[1]]

        status, body = await post(*streams, json.dumps(batch).encode())

        streams[1].close()
        await asyncio.sleep(1)
    answer = json.loads(body)
    assert status == 207
    assert [(e["index"], e["reason"]) for e in answer["invalid"]] == [
        (1, "record_refused"),
        (2, "too_large"),
    ]
    assert answer["error"] == []
    assert "INVALID_TIMESTAMP" in answer["invalid"][0]["context"]["message"]
    for event, told in zip(batch, ("201", "400", "400", "201"), strict=True):
        if event["meta"]["stream"] == "ledger.a":
            scenario.load.sent[event["meta"]["id"]] = type(next(iter(scenario.load.sent.values())))(
                "ledger.a", event["client"], event["seq"], told
            )
    ledger = await off_loop(scenario.ledger, "bad timestamp and oversize in a shared batch")
    assert sound(ledger)
    assert ledger.on_error_stream == 2
    assert ledger.told["201"] >= ledger.sent - 1


async def test_an_unknown_topic_is_answered_fast_and_remembered(broker, tmp_path):
    async with under_load(tmp_path, broker.bootstrap) as scenario:
        address = urlsplit(scenario.service.url)
        streams = await asyncio.open_connection(address.hostname, address.port)
        body = json.dumps(event_of("ledger.nowhere", "x", "x", 1)).encode()
        took = []
        for _ in range(20):
            started = time.monotonic()
            status, answer = await post(*streams, body)
            took.append(time.monotonic() - started)
        entry = json.loads(answer)["error"][0]
        await off_loop(lambda: broker.admin.create_topic("ledger.nowhere"))

        async def taken():
            return (await post(*streams, body))[0] == 201

        deadline = time.monotonic() + 10
        while not await taken():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        streams[1].close()

    assert (status, entry["reason"]) == (503, "topic_unavailable")
    assert "kafka-topics.sh --create --topic ledger.nowhere" in entry["hint"]
    assert max(took) < 1.0
    assert sorted(took)[10] < 0.2
    assert sound(await off_loop(scenario.ledger, "a stream whose topic does not exist"))


async def test_a_full_spool_refuses_and_nothing_is_lost(broker, tmp_path):
    settings = {"spool_settings": {"max_size": 1_048_576}}
    async with under_load(tmp_path, broker.bootstrap, spool=True, **settings) as scenario:
        await off_loop(broker.kill)
        until_full = time.monotonic() + 25
        while "503" not in scenario.load.told():
            assert time.monotonic() < until_full
            await asyncio.sleep(0.2)
        await asyncio.sleep(2)
        await off_loop(revive, broker)
        await asyncio.sleep(4)
        await scenario.drained()

    ledger = await off_loop(scenario.ledger, "broker away until the spool is full")
    assert sound(ledger)
    assert ledger.told["202"] > 0
    assert ledger.told["503"] > 0


async def test_readiness_does_not_flap_while_kafka_is_away(broker, tmp_path):
    async with under_load(tmp_path, broker.bootstrap) as scenario:
        seen = [scenario.service.get("/readyz")[0]]
        await off_loop(broker.kill)
        for _ in range(20):
            await asyncio.sleep(0.4)
            seen.append((await off_loop(scenario.service.get, "/readyz"))[0])
        samples = await off_loop(scenario.metrics)
        detail = scenario.service.get("/readyz")[1]

    assert set(seen) == {200}
    assert b"Kafka" in detail or b"broker" in detail
    assert samples['sluiceway_kafka_up{lane="guaranteed"}'] == 0
    assert samples['sluiceway_receipts_total{receipt="retry"}'] > 0


def test_a_service_starts_without_kafka_and_is_ready_when_it_comes(make_cluster, tmp_path):
    cluster = make_cluster()
    make_topics(cluster.admin)
    cluster.stop()
    config = settings_of(tmp_path, cluster.bootstrap, spool=False)

    with served(tmp_path, "--config", str(config), ready=False) as service:
        before = service.get("/readyz")
        refused = service.post(event_of("ledger.a", "1", "x", 1))
        revive(cluster)
        until(lambda: service.get("/readyz")[0] == 200)
        taken = service.post(event_of("ledger.a", "2", "x", 2))

    assert before[0] == 503
    assert b"Kafka cannot be reached" in before[1]
    assert refused[0] == 503
    assert taken[0] == 201
