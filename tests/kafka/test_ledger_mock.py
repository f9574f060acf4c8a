"""Error codes that a real broker cannot be made to answer, under load, with their ledger."""

import asyncio
import random

from tests.kafka.mock import Api
from tests.kafka.scenario import ERRORS, STREAMS, under_load
from tests.kafka.test_ledger import off_loop, sound
from tests.kafka.test_sink_faults import RETRIED


async def test_error_codes_of_every_kind_lose_nothing(mock_cluster, tmp_path):
    for stream in (*STREAMS, ERRORS):
        mock_cluster.create_topic(stream, 2)
    chance = random.Random(7)

    async with under_load(tmp_path, mock_cluster.bootstrap, workers=2) as scenario:
        for _ in range(12):
            codes = chance.choices([*RETRIED.values(), 10, 87], k=4)
            mock_cluster.inject(Api.PRODUCE, *codes)
            await asyncio.sleep(0.5)

    ledger = await off_loop(scenario.ledger, "48 error codes injected (mock cluster)")
    assert sound(ledger)
    assert ledger.told["201"] > 0.9 * ledger.sent


async def test_brokers_that_are_slow_and_leave_lose_nothing(mock_cluster, tmp_path):
    for stream in (*STREAMS, ERRORS):
        mock_cluster.create_topic(stream, 3)

    async with under_load(tmp_path, mock_cluster.bootstrap, workers=2) as scenario:
        mock_cluster.set_rtt(300)
        await asyncio.sleep(3)
        mock_cluster.set_rtt(0)
        for broker in (1, 2, 3):
            mock_cluster.set_down(broker)
            await asyncio.sleep(1.5)
            mock_cluster.set_up(broker)
            await asyncio.sleep(0.5)

    ledger = await off_loop(scenario.ledger, "a slow link, and each broker away (mock cluster)")
    assert ledger.lost == ledger.false_accepted == ledger.out_of_order == 0
    # The mock knows no numbers, so an answer that gets lost with its broker makes a double there.
    assert ledger.told["201"] > 0.5 * ledger.sent
