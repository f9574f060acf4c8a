"""Kafka as this service would use it: its brokers, and the topics of the streams."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest

from app.diagnosis.brokers import Acquaintance, may_number, meet_brokers
from app.diagnosis.findings import Finding, warning
from app.diagnosis.probe import PATIENCE, asked
from app.diagnosis.rights import judge_rights, not_to_write
from app.diagnosis.streams import Configured
from app.diagnosis.topicconfigs import Demands, creates_topics, describe_topics, judge_configs
from app.diagnosis.topics import Advice, Wanted, judge_topics, topics_of
from app.sinks.kafka.broker import Access
from app.sinks.kafka.metadata import Address


@dataclass(frozen=True, slots=True)
class Usage:
    """How the service uses the cluster; `create`: it lets brokers create topics."""

    bootstrap: Sequence[Address]
    access: Access
    demands: Demands
    idempotence: bool = True
    create: bool = False


async def examine_kafka(
    usage: Usage, streams: Awaitable[Configured], patience: float = PATIENCE
) -> AsyncIterator[Finding]:
    """Look at the cluster, and at the topics of the streams once those are known."""
    known = await meet_brokers(usage.bootstrap, usage.access, patience)
    try:
        for finding in known.findings:
            yield finding
        connection = known.any_connection
        if connection is None:
            return
        if usage.idempotence:
            yield await may_number(connection, patience)
        wanted = (await streams).wanted
        if wanted is None:
            yield _not_looked_at("the streams are not known", "Mend those first.")
            return
        for finding in await _examine_topics(known, connection, usage, wanted, patience):
            yield finding
    finally:
        known.close()


async def _examine_topics(
    known: Acquaintance,
    connection: AIOKafkaConnection,
    usage: Usage,
    wanted: Sequence[Wanted],
    patience: float,
) -> list[Finding]:
    names = list(dict.fromkeys(each.name for each in wanted))
    # Brokers must not create what they are asked for: this only looks.
    request = MetadataRequest(names, allow_auto_topic_creation=False)
    answer = await asked(connection, request, patience)
    if answer is None:
        return [_not_looked_at("the cluster did not answer", "Try again.")]
    topics = topics_of(answer)
    there = [name for name in names if name in topics and topics[name].exists]
    creates = None
    if usage.create and len(there) < len(names):
        creates = await creates_topics(known.connections, patience)
    advice = Advice(
        bootstrap=str(known.any_address),
        brokers=len(known.nodes),
        secured=usage.access.security_protocol != "PLAINTEXT",
        username=usage.access.username,
        lets_create=usage.create,
        creates=creates,
    )
    findings = judge_topics(wanted, topics, advice)
    if there:
        findings += judge_rights(await not_to_write(connection, there, patience), advice)
        configs = await describe_topics(connection, there, patience)
        findings += judge_configs(wanted, topics, configs or {}, usage.demands)
    return findings


def _not_looked_at(why: str, advice: str) -> Finding:
    return warning("topics", f"The topics of the streams were not looked at: {why}.", advice)
