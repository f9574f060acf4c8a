"""Recorded traffic, made up: log lines as the old system's caches wrote them, always the same."""

import json
import random
from collections.abc import Iterator
from urllib.parse import quote

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
    "WikipediaApp/50489-r-2024-05-14 (Android 14; Phone) Google Play",
)
BUTTONS = ("save", "cancel", "preview", "watch", "publish", "Änderungen verwerfen")
BAD_IN = 20
"""One line of so many is no event: cut off, or against its schema."""


def log_lines(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield lines of the format 2018-02, without their ends."""
    rng = random.Random(seed)
    for number in range(count):
        bad = rng.randrange(BAD_IN * 2)
        query = _query(rng, bad=bad == 0)
        if bad == 1:
            query = query[: len(query) // 2]
        second = number // 100 % 86_400
        dt = f"2018-03-04T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        address = f"198.51.100.{rng.randrange(256)}"
        agent = rng.choice(AGENTS)
        yield f"?{query};\tcp{rng.randrange(10)}\t{number}\t{dt}\t{address}\t{agent}".encode()


def queries(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield queries of beacons that hold a good event each."""
    rng = random.Random(seed)
    for _ in range(count):
        yield f"{_query(rng)};".encode()


def _query(rng: random.Random, *, bad: bool = False) -> str:
    count = "many" if bad else rng.randrange(1, 1_000)
    capsule = {
        "schema": "DemoButtonClick",
        "revision": 1,
        "wiki": rng.choice(("enwiki", "dewiki", "frwiki")),
        "webHost": "www.example.org",
        "event": {"button": rng.choice(BUTTONS), "count": count},
    }
    return quote(json.dumps(capsule, separators=(",", ":")), safe="!*()',:")
