from dataclasses import dataclass, field

import pytest

from app.core.errors import MalformedEvent, Overloaded, UnknownDelivery
from app.core.events import Context, Delivery, Outcome, RawEvent
from app.metrics import Metrics

CONTEXT = Context(source="test", received_ms=0)


def outcome(error=None, durability="acked"):
    delivery = None if error else Delivery(durability, "t", 0, 0)
    return Outcome(RawEvent({}), None, "s" if delivery else None, delivery, error)


def samples(metrics):
    lines = metrics.rendered().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


@pytest.mark.parametrize(
    ("one", "receipt"),
    [
        (outcome(), "acked"),
        (outcome(durability="spooled"), "spooled"),
        (outcome(MalformedEvent("no")), "invalid"),
        (outcome(Overloaded("full")), "retry"),
        (outcome(UnknownDelivery("late")), "unknown"),
    ],
)
def test_every_event_is_counted_by_what_its_sender_was_told(one, receipt):
    metrics = Metrics()

    metrics.observe([one, one], CONTEXT)

    assert samples(metrics)[f'sluiceway_receipts_total{{receipt="{receipt}"}}'] == "2.0"


def test_to_a_hasty_sender_nothing_was_promised():
    metrics = Metrics()

    metrics.observe([outcome()], Context(source="test", received_ms=0, hasty=True))

    found = samples(metrics)
    assert found['sluiceway_receipts_total{receipt="none"}'] == "1.0"
    assert 'sluiceway_receipts_total{receipt="acked"}' not in found


def test_what_a_kafka_sink_does_is_counted_by_its_lane():
    metrics = Metrics()
    watch = metrics.kafka_watch("guaranteed")

    watch.answered(0.02, batches=3, records=40, size=9_000)
    watch.retried("NOT_LEADER_OR_FOLLOWER")
    watch.generation("outage")

    found = samples(metrics)
    lane = 'lane="guaranteed"'
    assert found[f"sluiceway_kafka_request_seconds_count{{{lane}}}"] == "1.0"
    assert found[f"sluiceway_kafka_request_records_sum{{{lane}}}"] == "40.0"
    assert found[f"sluiceway_kafka_batches_total{{{lane}}}"] == "3.0"
    name = f'sluiceway_kafka_retries_total{{{lane},reason="NOT_LEADER_OR_FOLLOWER"}}'
    assert found[name] == "1.0"
    assert found[f'sluiceway_kafka_generations_ended_total{{{lane},reason="outage"}}'] == "1.0"


@dataclass
class State:
    records: int = 5
    bytes: int = 600
    oldest_age_seconds: float = 7.5
    adopted: int = 1
    spooled_total: int = 9
    drained_total: int = 4
    dropped: dict = field(default_factory=lambda: {"corrupt": 2})


def test_how_the_spool_stands_is_shown():
    metrics = Metrics()

    metrics.observe_spool(State())

    found = samples(metrics)
    assert found["sluiceway_spool_records"] == "5.0"
    assert found["sluiceway_spool_oldest_seconds"] == "7.5"
    assert found['sluiceway_spool_dropped_records{reason="corrupt"}'] == "2.0"
