"""Several workers on one socket: started, started again when they die, and ended together."""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from prometheus_client import multiprocess

from app.metrics import MULTIPROC_VARIABLE
from app.server import MISCONFIGURED, STOP_MARGIN, Announce, say_nothing
from app.settings import HttpSettings

logger = logging.getLogger(__name__)

LOOKS_EVERY = 0.2
PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between attempts to start workers again that keep dying."""
STEADY = 10.0
"""Seconds after which workers count as having come to stay."""


def supervise(
    sockets: Sequence[socket.socket], settings: HttpSettings, announce: Announce = say_nothing
) -> int:
    """Keep `settings.workers` processes serving the same sockets until a signal ends them.

    Return 0 if they ended as asked, 1 if one had to be killed, 2 if none could start. Should this
    process be killed, its workers end by themselves.
    """
    with tempfile.TemporaryDirectory(prefix="sluiceway-metrics-") as folder:
        return _Supervisor(sockets, settings, folder).run(announce)


class _Supervisor:
    """Remembers the workers, and how often they died of late."""

    def __init__(
        self, sockets: Sequence[socket.socket], settings: HttpSettings, metrics: str
    ) -> None:
        self._sockets = sockets
        self._settings = settings
        self._metrics = metrics
        self._workers: list[subprocess.Popen[bytes]] = []
        self._asked = threading.Event()
        self._signal = signal.SIGTERM
        # Workers hold the end to read from, and see it close when this process is gone.
        self._lifeline, self._held = os.pipe()

    def run(self, announce: Announce) -> int:
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sig, self._ask)
        for _ in range(self._settings.workers):
            self._workers.append(self._started())
        announce()
        deaths = 0
        steady_at = time.monotonic() + STEADY
        came_up = False
        while not self._asked.wait(LOOKS_EVERY):
            if time.monotonic() >= steady_at:
                deaths, came_up = 0, True
            dead = [worker for worker in self._workers if worker.poll() is not None]
            if not dead:
                continue
            if not came_up and any(worker.returncode == MISCONFIGURED for worker in dead):
                return self._ended(MISCONFIGURED)  # and it has said why
            logger.error("Workers died; others are started.", extra={"count": len(dead)})
            self._asked.wait(PAUSES[min(deaths, len(PAUSES) - 1)])
            if self._asked.is_set():
                break
            deaths += 1
            steady_at = time.monotonic() + STEADY
            for worker in dead:
                # Gauges of a dead worker must not count any longer.
                multiprocess.mark_process_dead(worker.pid, self._metrics)  # type: ignore[no-untyped-call]
                self._workers[self._workers.index(worker)] = self._started()
        return self._ended(0)

    def _started(self) -> subprocess.Popen[bytes]:
        listening = [sock.fileno() for sock in self._sockets]
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "app.cli", "serve"),
                *(argument for fd in listening for argument in ("--listening-fd", str(fd))),
                *("--lifeline-fd", str(self._lifeline)),
            ],
            pass_fds=[*listening, self._lifeline],
            env={**os.environ, MULTIPROC_VARIABLE: self._metrics, "PYTHONPATH": _path()},
            process_group=0,  # Ctrl-C reaches the supervisor alone, which passes it on
        )

    def _ask(self, sig: int, _frame: FrameType | None) -> None:
        if sig == signal.SIGINT:
            self._signal = signal.SIGINT
        self._asked.set()

    def _ended(self, code: int) -> int:
        # Whoever wants to hurry us asks twice; the workers need to be told once.
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(self._signal)
        deadline = time.monotonic() + self._settings.grace_period + STOP_MARGIN
        if self._signal == signal.SIGTERM:
            self._wait(time.monotonic() + self._settings.drain_delay)
        # Connections that nobody will accept are refused rather than left waiting.
        for sock in self._sockets:
            sock.close()
        self._wait(deadline)
        for worker in self._workers:
            if worker.poll() is None:
                logger.error("A worker did not stop within the grace period and is killed.")
                worker.kill()
                worker.wait()
                code = code or 1
        return code

    def _wait(self, deadline: float) -> None:
        for worker in self._workers:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                return


def _path() -> str:
    """Return a PYTHONPATH under which workers find the same package."""
    home = str(Path(__file__).parent.parent)
    before = os.environ.get("PYTHONPATH")
    return f"{home}{os.pathsep}{before}" if before else home
