"""Helpers of the tests: ASGI lifespans, reading sinks, processes of the service."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SLUICEWAY = [sys.executable, "-m", "app.cli"]


class Journal:
    """What a memory sink holds, as JSON values."""

    def __init__(self, sink: Any) -> None:
        self._sink = sink

    def events(self, stream: str | None = None) -> list[Any]:
        return [
            json.loads(record.value)
            for record in self._sink.records
            if stream is None or record.stream == stream
        ]

    def clear(self) -> None:
        """Forget what is held."""
        self._sink.records.clear()

    @property
    def errors(self) -> list[Any]:
        return self.events("sluiceway.error")

    @property
    def stored(self) -> list[Any]:
        """Everything but error events."""
        return [e for e in self.events() if e["meta"]["stream"] != "sluiceway.error"]


@asynccontextmanager
async def in_lifespan(app: Any) -> AsyncIterator[None]:
    """Start an ASGI application, and stop it at the end."""
    to_app: asyncio.Queue[Any] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    message = await from_app.get()
    if message["type"] != "lifespan.startup.complete":
        await asyncio.gather(task, return_exceptions=True)
        raise RuntimeError(message.get("message"))
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await from_app.get()
        await task


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Served:
    """A service in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, url: str, output: str) -> None:
        self.process = process
        self.folder = folder
        self.url = url
        self.output = output

    def get(self, path: str) -> tuple[int, bytes]:
        return self._ask(urllib.request.Request(self.url + path))

    def post(self, body: Any, path: str = "/v1/events") -> tuple[int, bytes]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        return self._ask(urllib.request.Request(self.url + path, data, headers))

    def log(self, *args: str) -> list[Any]:
        """What `sluiceway log --json` prints."""
        done = sluiceway(self.folder, "log", "--json", *args)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def assert_nothing_was_wrong(self) -> None:
        """Assert that its log has neither a traceback nor an error."""
        said = (self.folder / "stderr.txt").read_text()
        assert "Traceback" not in said
        assert " error " not in said

    def busy(self, *, threads: bool = False) -> float:
        """Seconds of CPU that the event loop's thread has used: all requests waited for these.

        What clients see is longer by whatever else the machine does meanwhile. With `threads`,
        those of all threads, one of which may keep the others from running.
        """
        pid = self.process.pid
        place = f"/proc/{pid}/stat" if threads else f"/proc/{pid}/task/{pid}/stat"
        fields = Path(place).read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, sig: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(30)

    def _ask(self, request: urllib.request.Request) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


def sluiceway(folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours in `folder` until it ends."""
    return subprocess.run(
        [*SLUICEWAY, *args],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def environment(**settings: str) -> dict[str, str]:
    """The environment for a process of ours, without settings of the caller's."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SLUICEWAY_")}
    return inherited | {"PYTHONPATH": str(ROOT)} | settings


@contextmanager
def served(folder: Path, *args: str, ready: bool = True, **settings: str) -> Iterator[Served]:
    """Run `sluiceway serve` in `folder` on a free port until the end of the block.

    `ready` says to wait until it is; otherwise it only listens.
    """
    settings = {"SLUICEWAY_HTTP__DRAIN_DELAY": "0"} | settings
    with (folder / "stderr.txt").open("w+") as errors:
        process = subprocess.Popen(
            [*SLUICEWAY, "serve", "--port", "0", *args],
            cwd=folder,
            env=environment(**settings),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout is not None
        try:
            first = process.stdout.readline()
            found = re.search(r"http://\S+", first)
            if not found:
                process.wait(10)
                raise RuntimeError((folder / "stderr.txt").read_text())
            service = Served(process, folder, found[0], first)
            if ready:
                until(lambda: _answers(service))
            yield service
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(25)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            process.stdout.close()


def until(condition: Any, seconds: float = 20.0) -> None:
    """Wait for a condition in another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        time.sleep(0.02)


def _answers(service: Served) -> bool:
    try:
        return service.get("/readyz")[0] == 200
    except OSError:
        return False
