"""Starting the servers that are measured, and a real broker for those that want one."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.load import with_children
from tests.kafka.admin import Admin
from tests.kafka.cluster import Cluster
from tests.kafka.jars import NoKafka, kafka_jars
from tests.support import ROOT

READY = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers at `url`; without processes of ours its CPU time is not known."""

    name: str
    url: str
    pid: int | None

    @property
    def pids(self) -> list[int]:
        return list(with_children(self.pid)) if self.pid else []


@contextmanager
def started(
    name: str, arguments: Sequence[str], *, core: int | None = 0, workers: int | None = None
) -> Iterator[Server]:
    """Start a server and stop it at the end; `core` is the one that it has for itself.

    With `workers`, `arguments` are those of `sluiceway serve`, else of `tests.benchmarks.servers`.
    """
    port = free_port()
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    if workers is None:
        module = [sys.executable, "-m", "tests.benchmarks.servers", arguments[0], str(port)]
        command = [*module, *arguments[1:]]
    else:
        serve = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
        command = [*serve, "--workers", str(workers), *arguments]
    child = subprocess.Popen(
        [*pinned, *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url, child)
        yield Server(name, url, child.pid)
    finally:
        os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@contextmanager
def broker(folder: Path, topics: Sequence[str]) -> Iterator[str | None]:
    """Run a real Kafka broker; its address, or None where there is none to be had."""
    try:
        jars = kafka_jars()
    except NoKafka as error:
        print(f"Kafka is left out: {error}", file=sys.stderr)
        yield None
        return
    with Cluster(folder, jars=jars) as cluster:
        cluster.start()
        admin = Admin(cluster.bootstrap)
        for topic in topics:
            admin.create_topic(topic)
        yield cluster.bootstrap


def _await(url: str, child: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + READY
    while time.monotonic() < ends:
        if child.poll() is not None:
            raise RuntimeError(f"the server ended with {child.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not get ready")


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port
