"""A service on Kafka under load, in processes of its own, and its ledger afterwards."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.kafka.ledger import HEAD, Ledger, ledger_of
from tests.kafka.load import Load
from tests.kafka.reading import read_all
from tests.support import Served, served

STREAMS = ("ledger.a", "ledger.b", "ledger.c")
ERRORS = "sluiceway.error"
DEADLINE = 8.0
"""http.produce_timeout: nothing may be answered later, by more than half a second."""

SCHEMA = {
    "title": "ledger/event",
    "$id": "/ledger/event/1.0.0",
    "$schema": "https://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": False,
    "required": ["$schema", "meta", "client", "seq"],
    "properties": {
        "$schema": {"type": "string", "maxLength": 100},
        "meta": {
            "type": "object",
            "required": ["stream"],
            "properties": {
                "stream": {"type": "string", "minLength": 1},
                "id": {"type": "string", "maxLength": 36},
                "dt": {"type": "string", "maxLength": 40},
                "request_id": {"type": "string"},
            },
        },
        "client": {"type": "string"},
        "seq": {"type": "integer", "minimum": 0, "maximum": 1000000000},
        "pad": {"type": "string"},
    },
}


def settings_of(folder: Path, bootstrap: str, *, spool: bool, **more: Any) -> Path:
    """Write schemas, streams and settings for a service; return the settings' file."""
    schemas = folder / "schemas" / "ledger" / "event"
    schemas.mkdir(parents=True, exist_ok=True)
    for name in ("1.0.0", "latest"):
        (schemas / name).write_text(json.dumps(SCHEMA))
    streams = {
        name: {"schema_title": "ledger/event", "message_key_fields": {"client": "client"}}
        for name in STREAMS
    }
    streams["ledger.unkeyed"] = {"schema_title": "ledger/event"}
    streams["ledger.nowhere"] = {"schema_title": "ledger/event"}
    (folder / "streams.yaml").write_text(json.dumps(streams))
    sink = {"type": "kafka", "bootstrap_servers": bootstrap.split(","), **more.pop("sink", {})}
    spool_settings = more.pop("spool_settings", {})
    settings: dict[str, Any] = {
        "schemas": {"base_uris": [str(folder / "schemas")]},
        "streams": {"uri": str(folder / "streams.yaml")},
        "sink": sink,
        "http": {"produce_timeout": DEADLINE, "drain_delay": 0, **more.pop("http", {})},
        "log": {"format": "json"},
        **more,
    }
    if spool:
        (folder / "spool").mkdir(exist_ok=True)
        settings["spool"] = {"folder": str(folder / "spool"), **spool_settings}
    path = folder / "settings.yaml"
    path.write_text(json.dumps(settings))
    return path


@dataclass
class Scenario:
    """A running service and its load."""

    folder: Path
    bootstrap: str
    service: Served
    load: Load
    notes: list[str] = field(default_factory=list)

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics by its name and labels, as Prometheus writes them."""
        status, body = self.service.get("/metrics")
        assert status == 200
        samples = {}
        for line in body.decode().splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                samples[name] = float(value)
        return samples

    async def drained(self, seconds: float = 60.0) -> None:
        """Wait until nothing waits in the spool."""
        for _ in range(int(seconds * 5)):
            with suppress(OSError):
                samples = await asyncio.to_thread(self.metrics)
                waiting = sum(value for name, value in samples.items() if "spool_records" in name)
                if not waiting:
                    await asyncio.sleep(0.3)
                    return
            await asyncio.sleep(0.2)
        raise TimeoutError("the spool did not drain")

    def ledger(self, fault: str) -> Ledger:
        """Read everything back, print the account, and demand that nothing is lost or false."""
        messages = read_all(self.bootstrap, STREAMS)
        errors = read_all(self.bootstrap, [ERRORS])
        ledger = ledger_of(
            fault,
            self.load.sent,
            messages,
            error_messages=errors,
            slowest=self.load.slowest(),
        )
        print(f"\n{HEAD}\n{ledger}", file=sys.stderr)
        if path := os.environ.get("LEDGER_FILE"):
            with Path(path).open("a") as file:
                file.write(f"{ledger}\n")
        return ledger


def make_topics(admin: Any, *, partitions: int = 2, replication: int = 1) -> None:
    """Create the topics of the ledger's streams."""
    for name in (*STREAMS, "ledger.unkeyed"):
        admin.create_topic(name, partitions, replication)
    admin.create_topic(ERRORS, 1, replication)


@asynccontextmanager
async def under_load(
    folder: Path,
    bootstrap: str,
    *,
    workers: int = 1,
    spool: bool = False,
    load: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Scenario]:
    """Serve, and load the service until the end of the block; topics must exist."""
    config = settings_of(folder, bootstrap, spool=spool, **settings)
    with served(folder, "--config", str(config), "--workers", str(workers)) as service:
        address = urlsplit(service.url)
        generator = Load(address.hostname, address.port, STREAMS, **(load or {}))
        scenario = Scenario(folder, bootstrap, service, generator)
        async with generator:
            await asyncio.sleep(1.0)  # time to be well under way
            yield scenario
        await asyncio.sleep(0.2)
