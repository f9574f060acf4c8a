"""The control connection: asks any broker for metadata and producer ids, and so knows who lives."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.transaction import InitProducerIdRequest

from app.sinks.kafka.accumulator import Identity
from app.sinks.kafka.broker import FOREIGN, Access, BrokerUnreachable, trouble_of
from app.sinks.kafka.metadata import Address, Metadata
from app.sinks.kafka.verdicts import name_of

STAGGER = 0.5
"""Seconds after which the next address is tried too, while the one before has not answered."""

_NEVER_EXPIRES = 2**31 - 1
_COORDINATOR_BUSY = (14, 15, 16)


class IdentityRefused(Exception):
    """The cluster gives this client no producer id."""


class Control:
    """Asks whichever broker answers; when one stops answering, another.

    Addresses are those that the metadata names, and the bootstrap list each time, so that a cluster
    which came back with other addresses is found again.
    """

    def __init__(
        self,
        *,
        bootstrap: Sequence[Address],
        access: Access,
        metadata: Metadata,
        answer_timeout: float = 2.0,
    ) -> None:
        self.metadata = metadata
        self.answered_at = float("-inf")
        self._bootstrap = bootstrap
        self._access = access
        self._answer_timeout = answer_timeout
        self._connection: AIOKafkaConnection | None = None
        self._address: Address | None = None
        self._silent: Address | None = None
        self._one_at_a_time = asyncio.Lock()

    async def ask_metadata(self, topics: Iterable[str], *, create: bool = False) -> dict[str, int]:
        """Learn of these topics and all brokers; return error codes of topics.

        Raises BrokerUnreachable. `create` lets brokers make topics that do not exist.
        """
        request = MetadataRequest(list(topics), allow_auto_topic_creation=create)
        return self.metadata.learn(await self._ask(request))

    async def ask_identity(self) -> Identity | None:
        """Return a new producer id, None if there is none just now.

        Raises BrokerUnreachable, or IdentityRefused if there will be none.
        """
        response = await self._ask(InitProducerIdRequest(None, _NEVER_EXPIRES))
        if response.error_code == 0:
            return Identity(response.producer_id, response.producer_epoch)
        if response.error_code in _COORDINATOR_BUSY:
            return None
        raise IdentityRefused(name_of(response.error_code))

    async def connect(self) -> None:
        """Be connected to a broker that answers; raises BrokerUnreachable if there is none."""
        if self._connection is not None and self._connection.connected():
            return
        known = [a for a in self.metadata.brokers.values() if a not in self._bootstrap]
        addresses = [*self._bootstrap, *known]
        random.shuffle(addresses)
        # Who did not answer last time is asked last.
        addresses.sort(key=lambda address: address == self._silent)
        self._address, self._connection = await first_to_answer(addresses, self._access.connect)

    def close(self) -> None:
        """Disconnect."""
        self._disconnect(CloseReason.SHUTDOWN)

    async def _ask(self, request: Any) -> Any:
        async with self._one_at_a_time:
            await self.connect()
            assert self._connection is not None
            try:
                async with asyncio.timeout(self._answer_timeout):
                    response = await self._connection.send(request)
            except FOREIGN as error:
                assert self._address is not None
                self._silent = self._address
                self._disconnect(CloseReason.CONNECTION_TIMEOUT)
                raise BrokerUnreachable(trouble_of(self._address, error), sent=True) from error
            self._silent = None
            self.answered_at = time.monotonic()
            return response

    def _disconnect(self, reason: CloseReason) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(reason=reason)


async def first_to_answer(
    addresses: Sequence[Address], connect: Callable[[Address], Any], stagger: float = STAGGER
) -> tuple[Address, AIOKafkaConnection]:
    """Connect to one of several brokers, without waiting long for those that do not answer.

    Raises BrokerUnreachable with what was wrong with each.
    """
    waiting = list(addresses)
    trying: dict[asyncio.Task[AIOKafkaConnection], Address] = {}
    troubles = []
    try:
        while waiting or trying:
            if waiting:
                address = waiting.pop(0)
                trying[asyncio.ensure_future(connect(address))] = address
            done, _ = await asyncio.wait(
                trying,
                timeout=stagger if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                address = trying.pop(task)
                try:
                    return address, task.result()
                except FOREIGN as error:
                    troubles.append(trouble_of(address, error))
    finally:
        for task in trying:
            task.cancel()
        for ended in await asyncio.gather(*trying, return_exceptions=True):
            if not isinstance(ended, BaseException):
                ended.close(reason=CloseReason.SHUTDOWN)
    raise BrokerUnreachable("; ".join(troubles) or "there is no address to try", sent=False)
