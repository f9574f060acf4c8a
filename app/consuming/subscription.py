"""What is consumed and as whom, and a consumer of aiokafka's that is set up for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaConsumer

from app.sinks.kafka.broker import Access

LINES = 500
"""Lines in work together, of all partitions; no others are begun before they are done."""
FETCHED = 16 * 1_048_576
"""Bytes that a broker sends at once."""
ANSWER = 10.0
"""Seconds for a commit, or any other question to the cluster."""
NEVER = 2**31 - 1
"""Milliseconds. A member whose sink is away keeps its place; heartbeats say that it lives."""

Begin = Literal["earliest", "latest"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is consumed and as whom; `begin` is for partitions that the group never committed.

    `patience` is how many seconds the batch in work may take once partitions are to be given away,
    `quiet` after how many without a line the group's coordinator is asked whether it is there.
    """

    servers: Sequence[str]
    topic: str
    group: str
    begin: Begin
    access: Access
    patience: float = 15.0
    quiet: float = 10.0

    @property
    def rebalance(self) -> float:
        """How many seconds the group waits for its members: to finish a batch, and commit."""
        return self.patience + ANSWER + 5.0


def consumer_of(subscription: Subscription) -> AIOKafkaConsumer:
    """Return a consumer, not yet started, that commits nothing by itself."""
    access = subscription.access
    sasl = {
        "sasl_mechanism": access.sasl_mechanism,
        "sasl_plain_username": access.username,
        "sasl_plain_password": access.password,
    }
    return AIOKafkaConsumer(
        bootstrap_servers=list(subscription.servers),
        client_id=access.client_id,
        group_id=subscription.group,
        enable_auto_commit=False,
        # Neither a missing nor an outdated offset is passed over in silence.
        auto_offset_reset="none",
        max_poll_records=LINES,
        max_poll_interval_ms=NEVER,
        rebalance_timeout_ms=int(subscription.rebalance * 1000),
        # A request to join is answered when all have come, or the time above is over.
        request_timeout_ms=int(subscription.rebalance * 1000) + 5_000,
        fetch_max_bytes=FETCHED,
        metadata_max_age_ms=60_000,
        isolation_level="read_committed",
        security_protocol=access.security_protocol,
        ssl_context=access.ssl_context,
        **(sasl if access.sasl_mechanism else {}),
    )
