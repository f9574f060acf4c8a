"""Recorded traffic from a Kafka topic: a file for each partition, up to its end of the moment."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app.core.errors import ConfigError
from app.outlets import security_of
from app.settings import KafkaSinkSettings, Settings
from app.sinks.kafka.security import Security

PATIENCE = 30.0
LOOK_EVERY = 0.05
POLL_MS = 1_000


async def collect(servers: str, topic: str, folder: Path, settings: Settings) -> list[Path]:
    """Write a topic's messages as lines, in order; raises ConfigError.

    Access is as the settings' Kafka sink has it. Line ends within a message become blanks.
    """
    sink = settings.sink
    security = security_of(sink) if isinstance(sink, KafkaSinkSettings) else Security()
    access: dict[str, Any] = {
        "security_protocol": security.protocol,
        "ssl_context": security.context(),
    }
    if security.mechanism:
        access |= {
            "sasl_mechanism": security.mechanism,
            "sasl_plain_username": security.username,
            "sasl_plain_password": security.password,
        }
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers.split(","),
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        **access,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            await consumer.start()
            numbers = await _partitions(consumer, topic)
        return await _collected(consumer, topic, numbers, folder)
    except (KafkaError, OSError, TimeoutError) as error:
        raise ConfigError(f"--kafka {servers}: {error or 'no answer'}.") from error
    finally:
        # Stopped before it began, aiokafka's own task passes its cancellation on.
        with suppress(asyncio.CancelledError):
            await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    if topic not in await consumer.topics():
        raise ConfigError(f"--topic {topic}: there is no such topic.")
    consumer.subscribe([topic])  # only of these it learns the partitions
    while not (numbers := consumer.partitions_for_topic(topic)):  # noqa: ASYNC110 (nobody tells)
        await asyncio.sleep(LOOK_EVERY)
    consumer.unsubscribe()
    return sorted(numbers)


async def _collected(
    consumer: AIOKafkaConsumer, topic: str, numbers: list[int], folder: Path
) -> list[Path]:
    partitions = [TopicPartition(topic, number) for number in numbers]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    begins = await consumer.beginning_offsets(partitions)
    paths = []
    for partition in partitions:
        path = folder / f"{topic}-{partition.partition}.lines"
        consumer.assign([partition])
        consumer.seek(partition, begins[partition])
        with path.open("wb") as file:
            while await consumer.position(partition) < ends[partition]:
                found = await consumer.getmany(partition, timeout_ms=POLL_MS)
                for record in found.get(partition, ()):
                    if record.offset < ends[partition]:
                        value = record.value or b""
                        file.write(value.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
        paths.append(path)
    return paths
