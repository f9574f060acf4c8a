"""The servers that are measured: `python -m tests.benchmarks.servers KIND PORT`, a process each.

`noop` is the same HTTP stack doing nothing: it reads the body and answers 201. `floor` does what
cannot be left out. `null` is Sluiceway with a sink that forgets, `configured` with the one of its
settings, `plain` the plain baseline.
"""

import argparse
import functools
from collections.abc import Sequence
from typing import Any

import uvicorn

from app import memory
from app.config import load_settings
from app.core.events import Delivery, Record
from app.protocol import Connection, Limits
from app.sinks.base import Health
from app.web.application import create_app
from tests.benchmarks.floor import Floor
from tests.benchmarks.plain import plain_app

KINDS = ("noop", "floor", "null", "configured", "plain")


class NullSink:
    """A sink that says that all is well, and forgets."""

    async def start(self) -> None:
        """Nothing is to be started."""

    async def stop(self, grace: float) -> None:
        """Nothing is to be stopped."""

    async def produce(self, records: Sequence[Record]) -> Sequence[Delivery]:
        """Take records nowhere."""
        return [Delivery("acked", record.topic, 0, 0) for record in records]

    async def healthy(self) -> Health:
        """Nothing can be wrong."""
        return Health(ok=True)


async def noop(scope: Any, receive: Any, send: Any) -> None:
    """Read the body, and answer what Sluiceway would."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body", False):
        pass
    status = 201 if scope["method"] == "POST" else 204
    length = [(b"content-length", b"0")] if status == 201 else []
    await send({"type": "http.response.start", "status": status, "headers": length})
    await send({"type": "http.response.body", "body": b""})


def app_of(kind: str, config: str | None, bootstrap: str | None, database: str | None) -> Any:
    """Return the ASGI application of a kind of server."""
    memory.settle()  # as `sluiceway serve` does; nobody else is to lack it
    if kind == "noop":
        return noop
    if kind == "plain":
        return plain_app(bootstrap, database)
    if kind == "floor":
        return Floor(noop)
    return create_app(load_settings(config), sink=NullSink() if kind == "null" else None)


def _protocol_of(kind: str) -> Any:
    """Return what speaks HTTP: uvicorn as it comes for what is no part of Sluiceway."""
    return "httptools" if kind in ("noop", "plain") else functools.partial(Connection, Limits())


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("port", type=int)
    parser.add_argument("--config")
    parser.add_argument("--bootstrap")
    parser.add_argument("--database")
    args = parser.parse_args()
    uvicorn.run(
        app_of(args.kind, args.config, args.bootstrap, args.database),
        host="127.0.0.1",
        port=args.port,
        http=_protocol_of(args.kind),
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
