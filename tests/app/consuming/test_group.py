import asyncio
import logging
import socket

import pytest

from app.consuming.group import consume_topic
from app.consuming.subscription import Subscription
from app.sinks.kafka.broker import Access
from tests.support import until


@pytest.fixture
def nobody():
    """An address on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


async def test_where_no_broker_answers_it_says_why_and_tries_again_until_it_is_stopped(
    nobody, caplog
):
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    consumed = Subscription([nobody], "lines", "group", "earliest", Access(client_id="test"))
    stop = asyncio.Event()
    work = asyncio.create_task(consume_topic(consumed, None, stop, pauses=[0.0]))

    await asyncio.to_thread(until, lambda: len(caplog.records) >= 3)
    stop.set()
    await asyncio.wait_for(work, 20)

    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert f"{nobody}: the connection was refused" in caplog.records[0].hint


async def test_who_is_stopped_before_it_begins_does_not_begin(nobody, caplog):
    consumed = Subscription([nobody], "lines", "group", "earliest", Access(client_id="test"))
    stop = asyncio.Event()
    stop.set()

    await consume_topic(consumed, None, stop)

    assert not caplog.records
