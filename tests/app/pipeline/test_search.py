import asyncio

import pytest

from app.core.errors import SchemaUnavailable
from app.pipeline.search import Search


class Slow:
    """Schemas that each take some time, and how long the search for each might have taken."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.waits = []

    def at_hand(self, uri):
        return None

    async def get(self, uri, *, wait=None):
        self.waits.append(wait)
        await asyncio.sleep(self.seconds)
        raise SchemaUnavailable("no")


async def test_each_search_leaves_less_time_for_the_next():
    schemas = Slow(0.01)
    search = Search(schemas, 0.1)

    for number in range(3):
        with pytest.raises(SchemaUnavailable):
            await search.get(f"/{number}")

    first, second, third = schemas.waits
    assert first == 0.1
    assert first - second >= 0.009
    assert second - third >= 0.009


async def test_what_takes_no_time_leaves_all_of_it():
    schemas = Slow(0)
    search = Search(schemas, 60)

    for number in range(100):
        with pytest.raises(SchemaUnavailable):
            await search.get(f"/{number}")

    assert schemas.waits[-1] > 55
