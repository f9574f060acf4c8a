"""A real Kafka broker in a process of its own, which a test may stop, kill and freeze."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.kafka.admin import brokers_seen_by
from tests.kafka.warden import warden

# Started for a test and gone again: what counts is the time to the first request.
JAVA = [
    "java",
    "-Xms96m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xshare:auto",
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
]


class BrokerDied(Exception):
    """A broker's process ended by itself; the message ends with its last words."""


class PortTaken(BrokerDied):
    """Another process was faster to a port that was free when it was chosen."""


class Broker:
    """One node, broker and controller at once.

    It keeps its data and ports over any number of stops and starts. `stop`, `kill`, `freeze` and
    `thaw` act at once; after `start` and `thaw`, `wait_ready` waits until clients are served.
    """

    def __init__(self, *, node_id: int, folder: Path, jars: Path) -> None:
        self.node_id = node_id
        self.folder = folder
        self.properties = folder / "server.properties"
        self.data = folder / "data"
        self.port = 0  # of its client listener
        self._jars = jars
        self._log = folder / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False
        self._log_start = 0  # where the words of this run begin
        folder.mkdir(parents=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def answering(self) -> bool:
        return self.running and not self._frozen

    @property
    def log(self) -> str:
        """All its process ever said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def java(self, *words: str) -> Sequence[str]:
        """Return a command that runs a class of Kafka's."""
        return [*JAVA, "-cp", f"{self._jars}/*", *words]

    def start(self) -> None:
        assert not self.running, "the broker runs already"
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                self.java("kafka.Kafka", str(self.properties)),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # signals for us are not for it
            )
        self._frozen = False
        warden().watch(self._process.pid)

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until clients are answered, and are told that this broker is in the cluster."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.running:
                raise self._death()
            if self._listens() and self.node_id in brokers_seen_by(self.address, seconds=2.0):
                return
            time.sleep(0.05)
        raise TimeoutError(
            f"broker {self.node_id} was not ready within {seconds:g} s:\n{self._last_words()}"
        )

    def stop(self, grace: float = 30.0) -> None:
        """Ask it to leave as an operator would: leadership moves away first, then it ends.

        The last nodes of a cluster wait in vain for a quorum; past the grace they are killed.
        """
        if self.running:
            self.thaw()
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._started().wait(grace)
        self.kill()

    def kill(self) -> None:
        """End it on the spot, frozen or not, as a power cut would; nothing if it does not run."""
        if self.running:
            self._signal(signal.SIGKILL)
            self._started().wait(30.0)
        if self._process:
            warden().forget(self.pid)

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing; the system still accepts new ones."""
        self._signal(signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)
        self._frozen = False

    def restart(self) -> None:
        self.stop()
        self.start()
        self.wait_ready()

    def _signal(self, number: int) -> None:
        assert self.running, f"broker {self.node_id} does not run"
        os.killpg(self.pid, number)

    def _started(self) -> "subprocess.Popen[bytes]":
        assert self._process, f"broker {self.node_id} was never started"
        return self._process

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
                return True
        except OSError:
            return False

    def _death(self) -> BrokerDied:
        words = self._last_words()
        kind = PortTaken if "Address already in use" in words else BrokerDied
        return kind(f"broker {self.node_id} ended by itself:\n{words}")

    def _last_words(self) -> str:
        """What this run says of errors; its last lines if it knows of none."""
        lines = self._log.read_bytes()[self._log_start :].decode(errors="replace").splitlines()
        errors = [line for line in lines if re.search(r" ERROR |Exception: |Caused by: ", line)]
        return "\n".join(errors[:20] or lines[-40:])
