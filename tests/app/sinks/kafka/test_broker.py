import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from app.sinks.kafka.broker import Broker, BrokerUnreachable
from app.sinks.kafka.metadata import Address


class Connection:
    """A connection that fails as it is told, when something is sent."""

    def __init__(self, error):
        self.error = error
        self.closed = False

    def connected(self):
        return not self.closed

    def send(self, request):
        raise self.error

    def close(self, reason):
        self.closed = True


class Access:
    def __init__(self, connection):
        self.connection = connection

    async def connect(self, address):
        return self.connection


@pytest.mark.parametrize(
    "error",
    [
        KafkaConnectionError("no connection"),
        # What uvloop says where asyncio's own loop would drop the bytes and tell later.
        RuntimeError("unable to perform operation on <TCPTransport>; the handler is closed"),
    ],
)
async def test_a_connection_that_was_just_lost_is_no_defect(error):
    changed = asyncio.Event()
    connection = Connection(error)
    broker = Broker(1, Address("localhost", 9092), Access(connection), changed.set)
    broker.connect_soon()
    await changed.wait()

    with pytest.raises(BrokerUnreachable) as caught:
        await broker.request("a request")

    assert not caught.value.sent
    assert connection.closed
    assert not broker.connected
