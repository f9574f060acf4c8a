"""Clients that post as fast as they are answered, in a process of their own.

    python -m tests.abuse.overload URL CLIENTS EVENTS SECONDS

Prints JSON: how often each status came, how long the stored and the refused took (of those sent
after the first three seconds), and which ids were told 201.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

WARM_UP = 3.0
STREAM = "demo.button.click"


NUMBER = b"@@@@@@"
"""Where the number of the request stands in its ids: to write it in costs next to nothing."""


def template_of(client: int, events: int) -> bytes:
    """Return a request of a client, without its number."""
    body = json.dumps(
        [
            {
                "$schema": "/demo/button/click/1.0.0",
                "meta": {"stream": STREAM, "id": _id_of(client, NUMBER.decode(), n)},
                "button": "save",
            }
            for n in range(events)
        ]
    ).encode()
    head = b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)


def _id_of(client: int, number: str, n: int) -> str:
    return f"00000000-0000-4000-{client:04x}-{number}{n:06x}"


async def client(host: str, port: int, number: int, events: int, ends: float) -> dict[str, Any]:
    """Post one request after the other; whoever is turned away waits a little."""
    told: dict[str, Any] = {"statuses": Counter(), "stored": [], "refused": [], "ids": [], "bad": 0}
    template = template_of(number, events)
    counts_from = time.monotonic() + WARM_UP
    reader, writer = await asyncio.open_connection(host, port)
    for count in range(1_000_000):
        if time.monotonic() > ends:
            break
        text = f"{count:06x}"
        began = time.monotonic()
        writer.write(template.replace(NUMBER, text.encode()))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split()[1])
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        body = await reader.readexactly(length)
        took = time.monotonic() - began
        told["statuses"][status] += 1
        if status == 201:
            told["stored"] += [took] * (began > counts_from)
            told["ids"] += (_id_of(number, text, n) for n in range(events))
        else:
            told["refused"] += [took] * (began > counts_from)
            reason = json.loads(body)["error"][0]["reason"]
            told["bad"] += reason != "overloaded" or b"retry-after: " not in head
            await asyncio.sleep(0.2)
    writer.close()
    return told


async def main(url: str, clients: int, events: int, seconds: float) -> None:
    """Run all clients, and print what they were told."""
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    ends = time.monotonic() + seconds
    all_told = await asyncio.gather(
        *(client(where.hostname, where.port, n, events, ends) for n in range(clients))
    )
    statuses: Counter[int] = Counter()
    for told in all_told:
        statuses.update(told["statuses"])
    print(
        json.dumps(
            {
                "statuses": statuses,
                **{
                    name: sorted(each for told in all_told for each in told[name])
                    for name in ("stored", "refused", "ids")
                },
                "bad": sum(told["bad"] for told in all_told),
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
