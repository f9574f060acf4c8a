"""A connection to one broker: opened when needed, closed when it no longer answers."""

import asyncio
import contextlib
import logging
import ssl
import time
from dataclasses import dataclass
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason, create_conn
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, KafkaError

from app.sinks.kafka.metadata import Address

logger = logging.getLogger(__name__)

FOREIGN = (
    *(OSError, KafkaError, TimeoutError, AssertionError, NotImplementedError, ValueError),
    RuntimeError,
)
"""What aiokafka raises when a broker is away, refuses us, or does not speak Kafka.

RuntimeError is uvloop's, for a connection that was lost a moment ago.
"""
_NOT_SENT = (KafkaConnectionError, IncompatibleBrokerVersion, NotImplementedError, RuntimeError)

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class BrokerUnreachable(Exception):
    """No connection, or none any more; `sent` says whether the request may have arrived."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Access:
    """How to connect to any broker of a cluster; times in seconds."""

    client_id: str
    security_protocol: str = "PLAINTEXT"
    ssl_context: ssl.SSLContext | None = None
    sasl_mechanism: str | None = None
    username: str | None = None
    password: str | None = None
    connect_timeout: float = 2.0
    request_timeout: float = 5.0
    max_idle: float = 240.0
    """Brokers close what is idle for 10 minutes; who writes into that moment loses a request."""

    async def connect(self, address: Address) -> AIOKafkaConnection:
        """Open a connection; raises one of FOREIGN."""
        async with asyncio.timeout(self.connect_timeout):
            return await create_conn(
                address.host,
                address.port,
                client_id=self.client_id,
                request_timeout_ms=int(self.request_timeout * 1000),
                security_protocol=self.security_protocol,
                ssl_context=self.ssl_context,
                sasl_mechanism=self.sasl_mechanism,
                sasl_plain_username=self.username,
                sasl_plain_password=self.password,
                max_idle_ms=int(self.max_idle * 1000),
            )


class Broker:
    """One broker as the producer sees it. `on_change` is called when it can be used again."""

    def __init__(self, node_id: int, address: Address, access: Access, on_change: Any) -> None:
        self.node_id = node_id
        self.address = address
        self.in_flight = 0
        self.quiet_until = 0.0
        self._access = access
        self._on_change = on_change
        self._connection: AIOKafkaConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._failures = 0
        self._try_at = 0.0
        self.trouble = ""

    @property
    def connected(self) -> bool:
        return self._connection is not None and bool(self._connection.connected())

    def connect_soon(self) -> float:
        """Begin to connect unless that is under way; return when it is worth looking again."""
        now = time.monotonic()
        if self._connecting is None and now >= self._try_at:
            self._connecting = asyncio.create_task(self._connect())
        return max(self._try_at, now + _LONGEST_PAUSE) if self._connecting else self._try_at

    async def request(self, request: Any) -> Any:
        """Send a request and return the response; raises BrokerUnreachable.

        Whoever does not answer in time is disconnected, since its later answers would be of use to
        nobody and every further request would queue behind them.
        """
        connection = self._connection
        if connection is None:
            raise BrokerUnreachable(f"There is no connection to {self.address}.", sent=False)
        try:
            waiting = connection.send(request)
        except _NOT_SENT as error:
            self.disconnect()
            raise BrokerUnreachable(f"{self.address}: {error}", sent=False) from error
        try:
            return await waiting
        except TimeoutError as error:
            self.disconnect(CloseReason.CONNECTION_TIMEOUT)
            message = f"{self.address} did not answer within {self._access.request_timeout:g} s."
            raise BrokerUnreachable(message, sent=True) from error
        except FOREIGN as error:
            self.disconnect()
            raise BrokerUnreachable(f"{self.address}: {error}", sent=True) from error

    def disconnect(self, reason: CloseReason = CloseReason.CONNECTION_BROKEN) -> None:
        """Close the connection; requests under way fail at once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(reason=reason)

    async def close(self) -> None:
        """Disconnect for good."""
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        self.disconnect(CloseReason.SHUTDOWN)

    async def _connect(self) -> None:
        try:
            self.disconnect()
            self._connection = await self._access.connect(self.address)
        except FOREIGN as error:
            self._failures += 1
            pause = min(_FIRST_PAUSE * 2 ** (self._failures - 1), _LONGEST_PAUSE)
            self._try_at = time.monotonic() + pause
            self.trouble = trouble_of(self.address, error)
            logger.debug("A broker cannot be reached.", extra={"detail": self.trouble})
        else:
            self._failures = 0
            self._try_at = 0.0
            self.trouble = ""
        finally:
            self._connecting = None
            self._on_change()


def trouble_of(address: Address, error: BaseException) -> str:
    """Return why a connection failed, for the operator."""
    if isinstance(error, TimeoutError):
        return f"{address} does not answer"
    if isinstance(error, ssl.SSLError):
        return f"{address}: no TLS connection: {error.reason or error}"
    if isinstance(error, OSError):
        return f"{address}: {error.strerror or error}"
    text = str(error) or type(error).__name__
    return f"{address}: {text}"
