"""How topics are configured: whether they take every event that the service takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.admin import DescribeConfigsRequest

from app.diagnosis.findings import Finding, listed, ok, problem, warning
from app.diagnosis.probe import PATIENCE, asked
from app.diagnosis.topics import Topic, Wanted

MAX_DESCRIBED = 1_000
AHEAD_MS = 3_540_000
"""How far ahead of now the sink lets timestamps of clients be: 59 minutes."""

_TOPIC, _BROKER = 2, 4  # Kafka's numbers for kinds of resources
_NAMES = [
    "cleanup.policy",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "min.insync.replicas",
]
_CREATES = "auto.create.topics.enable"

Configs = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Demands:
    """What the service demands of topics.

    `client_times`: events have the times of their clients. `spool_age` is for how many seconds an
    event may wait until it is produced.
    """

    max_event_size: int
    acks_all: bool = True
    client_times: bool = False
    spool_age: float | None = None


async def describe_topics(
    connection: AIOKafkaConnection, names: Sequence[str], patience: float = PATIENCE
) -> Configs | None:
    """Return the configuration of topics, without those that may not be looked at.

    None if the cluster did not answer.
    """
    resources = [(_TOPIC, name, _NAMES) for name in names[:MAX_DESCRIBED]]
    answer = await asked(connection, DescribeConfigsRequest(resources), patience)
    return None if answer is None else _configs_of(answer)


async def creates_topics(
    connections: Mapping[int, AIOKafkaConnection], patience: float = PATIENCE
) -> bool | None:
    """Say whether a broker creates topics that it is asked for; None if that cannot be known."""
    for node, connection in connections.items():
        request = DescribeConfigsRequest([(_BROKER, str(node), [_CREATES])])
        answer = await asked(connection, request, patience)
        found = _configs_of(answer).get(str(node), {}) if answer is not None else {}
        return found[_CREATES] == "true" if _CREATES in found else None
    return None


def judge_configs(
    wanted: Sequence[Wanted], topics: Mapping[str, Topic], configs: Configs, demands: Demands
) -> list[Finding]:
    """Return what is found of the topics whose configuration could be looked at."""
    seen = [
        (each, topics[each.name], configs[each.name])
        for each in wanted
        if each.name in configs and each.name in topics and topics[each.name].exists
    ]
    by_kind: dict[Finding, list[str]] = {}
    for each, topic, config in seen:
        for found in _of_topic(each, topic, config, demands):
            by_kind.setdefault(found, []).append(each.name)
    findings = [
        replace(found, text=f"{found.text}: {listed(names)}.") for found, names in by_kind.items()
    ]
    if seen and not findings:
        findings.append(ok("topics", "They are configured for what this service produces."))
    return [*findings, *_unseen(wanted, topics, configs)]


def _of_topic(
    wanted: Wanted, topic: Topic, config: Mapping[str, str], demands: Demands
) -> Iterable[Finding]:
    largest = _number(config, "max.message.bytes")
    if largest is not None and largest < demands.max_event_size:
        yield warning(
            "topics",
            f"max.message.bytes is {largest:,}, less than http.max_event_size "
            f"({demands.max_event_size:,})",
            "Set one of them so that they agree (kafka-configs.sh --alter --add-config "
            f"max.message.bytes={demands.max_event_size + 4096}): larger events are taken in and "
            "then refused by Kafka.",
        )
    if "compact" in config.get("cleanup.policy", "") and not wanted.keyed:
        yield problem(
            "topics",
            "Compacted (cleanup.policy), but the stream has no message_key_fields",
            "Give the stream message_key_fields, or set cleanup.policy=delete: Kafka refuses "
            "events without a key there.",
        )
    yield from _of_replicas(topic, _number(config, "min.insync.replicas"), demands)
    yield from _of_times(config, demands)


def _of_replicas(topic: Topic, least: int | None, demands: Demands) -> Iterable[Finding]:
    if least is None or not demands.acks_all:
        return
    if least > topic.replication:
        yield problem(
            "topics",
            f"min.insync.replicas is {least}, but there are fewer replicas",
            "Add replicas or set min.insync.replicas lower: nothing can be produced like this.",
        )
    elif topic.in_sync < least:
        yield problem(
            "topics",
            f"Fewer replicas are in sync than min.insync.replicas ({least})",
            "Bring back the brokers that are away: until then Kafka refuses events for these.",
        )
    elif least == 1 and topic.replication > 1:
        yield warning(
            "topics",
            "min.insync.replicas is 1 although there are several replicas",
            "Set min.insync.replicas=2 (kafka-configs.sh --alter): else an event may be "
            "acknowledged by one broker alone, and be lost with it.",
        )
    elif least == topic.replication > 1:
        yield warning(
            "topics",
            f"min.insync.replicas is {least}, as many as there are replicas",
            "Add a replica or set min.insync.replicas lower: when any broker restarts, nothing can "
            "be produced to these.",
        )


def _of_times(config: Mapping[str, str], demands: Demands) -> Iterable[Finding]:
    if config.get("message.timestamp.type") == "LogAppendTime":
        return  # brokers put their own time on each event, and refuse none for its time
    ahead = _number(config, "message.timestamp.after.max.ms")
    if demands.client_times and ahead is not None and ahead < AHEAD_MS:
        yield warning(
            "topics",
            f"message.timestamp.after.max.ms is {ahead:,}, less than {AHEAD_MS:,}",
            f"Set it to {AHEAD_MS + 60_000} or more: events of clients whose clocks are ahead "
            "(meta.dt) are refused by Kafka.",
        )
    behind = _number(config, "message.timestamp.before.max.ms")
    if behind is None:
        return
    if demands.spool_age is not None and behind < demands.spool_age * 1000:
        yield warning(
            "topics",
            f"message.timestamp.before.max.ms is {behind:,}, less than spool.max_age "
            f"({demands.spool_age:g} s)",
            "Set it higher: events that waited in the spool for longer are refused by Kafka.",
        )
    elif demands.client_times and behind < AHEAD_MS:
        yield warning(
            "topics",
            f"message.timestamp.before.max.ms is {behind:,}",
            "Set it higher: events that clients kept for longer (meta.dt) are refused by Kafka.",
        )


def _unseen(
    wanted: Sequence[Wanted], topics: Mapping[str, Topic], configs: Configs
) -> Iterable[Finding]:
    there = [each.name for each in wanted if each.name in topics and topics[each.name].exists]
    unseen = [name for name in there if name not in configs]
    if unseen:
        yield warning(
            "topics",
            f"How these are configured could not be looked at: {listed(unseen)}.",
            "Give this client DescribeConfigs on its topics, or compare by hand with docs/kafka.md "
            "(kafka-configs.sh --describe --all --topic ...).",
        )


def _configs_of(answer: Any) -> dict[str, dict[str, str]]:
    return {
        row[3]: {entry[0]: entry[1] for entry in row[4] if entry[1] is not None}
        for row in answer.resources
        if row[0] == 0
    }


def _number(config: Mapping[str, str], name: str) -> int | None:
    try:
        return int(config[name])
    except (KeyError, ValueError):
        return None
