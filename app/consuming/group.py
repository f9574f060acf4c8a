"""Consuming in a group for as long as it takes: after a membership that failed comes another."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from app.consuming.batch import Take
from app.consuming.membership import Membership
from app.consuming.subscription import Subscription
from app.core.errors import ConfigError
from app.diagnosis.probe import probe
from app.sinks.kafka.sink import address_of

logger = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before another membership is tried; the last one holds for all that follow."""


async def consume_topic(
    subscription: Subscription,
    take: Take,
    stop: asyncio.Event,
    *,
    pauses: Sequence[float] = PAUSES,
) -> None:
    """Consume until `stop` is set; raises ConfigError if it never could consume anything.

    Whatever goes wrong later is told in the log, and tried again.
    """
    ever_settled = False
    failures = 0
    while not stop.is_set():
        membership = Membership(subscription, take)
        try:
            await membership.consume(stop)
        except (ConfigError, KafkaError, OSError) as error:
            refusal = _refusal(error, subscription)
            ever_settled |= membership.settled
            if refusal is not None and not ever_settled:
                raise refusal from error
            failures = 1 if membership.settled else failures + 1
            logger.warning(
                "Consuming was interrupted; it is tried again. Nothing is lost.",
                extra={"error": str(refusal or error), "hint": await _hint(error, subscription)},
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pauses[min(failures, len(pauses)) - 1])


def _refusal(error: BaseException, subscription: Subscription) -> ConfigError | None:
    """Return what an operator must mend before anything can be consumed, None if time may."""
    match error:
        case ConfigError():
            return error
        case TopicAuthorizationFailedError():
            return ConfigError(f"This user may not read {subscription.topic}: grant Read on it.")
        case GroupAuthorizationFailedError() | ClusterAuthorizationFailedError():
            return ConfigError(
                f"This user may not use the group {subscription.group}: grant Read on the group, "
                "or name another with --group."
            )
        case InconsistentGroupProtocolError() | InvalidGroupIdError():
            return ConfigError(
                f"The group {subscription.group} cannot be joined ({error}); it may belong to "
                "consumers of another kind. Name another with --group."
            )
    return None


async def _hint(error: BaseException, subscription: Subscription) -> str | None:
    """Look for why no broker could be reached."""
    if not isinstance(error, KafkaConnectionError | OSError):
        return None
    addresses = [address_of(server) for server in subscription.servers]
    probes = await asyncio.gather(*(probe(each, subscription.access) for each in addresses))
    for each in probes:
        each.close()
    troubles = [
        f"{each.address}: {each.trouble.text}. {each.trouble.advice}"
        for each in probes
        if each.trouble is not None
    ]
    return " ".join(troubles) or None
