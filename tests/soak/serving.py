"""The service under soak: one generation of processes after the other, on one port and spool."""

import asyncio
import json
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tests.kafka.scenario import DEADLINE
from tests.soak.watch import children_of, worker_of
from tests.support import Served, served

GRACE = 25.0


class Generations:
    """Starts the service, ends it, and starts its successor on the same port and spool.

    `up` says whether anybody can be expected to answer now.
    """

    def __init__(self, folder: Path, settings: Path, *, port: int, workers: int) -> None:
        self.folder = folder
        self.port = port
        self.up = False
        self._settings = settings
        self._workers = workers
        self._count = 0
        self._stack = ExitStack()
        self._service: Served | None = None

    @property
    def service(self) -> Served:
        assert self._service, "the service was never started"
        return self._service

    @property
    def workers(self) -> list[int]:
        """The processes that serve."""
        if self._service is None or self._service.process.poll() is not None:
            return []
        return children_of(self.service.process.pid)

    async def start(self) -> None:
        await asyncio.to_thread(self._start)
        self.up = True

    async def succeed(self, sig: signal.Signals) -> float:
        """End the service, start another when it is gone; return how long the end took."""
        self.up = False
        workers = self.workers
        began = time.monotonic()
        self.service.process.send_signal(sig)
        await asyncio.to_thread(self.service.process.wait, GRACE)
        # Workers outlive a supervisor that was killed by as long as their requests take.
        while any(map(worker_of, workers)):
            assert time.monotonic() < began + GRACE + 5, "workers did not end"
            await asyncio.sleep(0.05)
        took = time.monotonic() - began
        await self.start()
        return took

    async def stop(self) -> None:
        self.up = False
        await asyncio.to_thread(self._stack.close)

    def logs(self) -> Iterator[str]:
        """Yield all that any generation ever said."""
        for path in sorted(self.folder.glob("generation-*/stderr.txt")):
            with path.open(errors="replace") as lines:
                yield from lines

    def limit_files(self, room: int | None) -> None:
        """Let no file of the workers' grow by more than `room` bytes, as a full disk would."""
        log = self.service.folder / "stderr.txt"
        limit = resource.RLIM_INFINITY if room is None else log.stat().st_size + room
        for pid in self.workers:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def _start(self) -> None:
        self._stack.close()
        self._count += 1
        folder = self.folder / f"generation-{self._count}"
        folder.mkdir(parents=True)
        arguments = ("--config", str(self._settings), "--workers", str(self._workers))
        self._service = self._stack.enter_context(
            served(folder, *arguments, "--port", str(self.port), ready=False)
        )


def settings_of(folder: Path, *, bootstrap: str, sources: int, secret: str, **more: Any) -> Path:
    """Write the settings of a service that has everything from http on port `sources`."""
    (folder / "spool").mkdir(parents=True, exist_ok=True)
    settings = {
        "schemas": {
            "base_uris": [f"http://soak:{secret}@127.0.0.1:{sources}/schemas"],
            "fetch_timeout": 2.0,
        },
        "streams": {
            "uri": f"http://127.0.0.1:{sources}/streams",
            "headers": {"authorization": f"Bearer {secret}"},
            "ttl": 2.0,
            "retries": 1,
            "timeout": 2.0,
        },
        "sink": {"type": "kafka", "bootstrap_servers": bootstrap.split(",")},
        "http": {"produce_timeout": DEADLINE, "drain_delay": 0, "body_timeout": 10.0},
        "spool": {"folder": str(folder / "spool"), "max_size": 64 * 1024 * 1024},
        "log": {"format": "json"},
        **more,
    }
    path = folder / "settings.yaml"
    path.write_text(json.dumps(settings))
    return path
