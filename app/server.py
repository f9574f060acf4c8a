"""Serving: uvicorn, made to drain before it stops; and a supervisor for several workers."""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from prometheus_client import multiprocess

from app.core.errors import ConfigError
from app.metrics import MULTIPROC_VARIABLE
from app.settings import HttpSettings

logger = logging.getLogger(__name__)

APP = "app.main:app"
BACKLOG = 2048
STOP_MARGIN = 1.0  # of the grace period, what is kept for closing the sink
RESTART_PAUSE = 1.0
MISCONFIGURED = 2

Announce = Callable[[], None]


def _say_nothing() -> None:
    pass


def listen(host: str, port: int, fd: int | None = None) -> socket.socket:
    """Return the listening socket: a new one, or the one that a supervisor opened."""
    if fd is not None:
        return socket.socket(fileno=fd)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {host} port {port}: {error.strerror or error}. "
            "Stop what listens there, or take another port with --port."
        ) from error


def serve(sock: socket.socket, settings: HttpSettings, announce: Announce = _say_nothing) -> int:
    """Serve in this process until a signal ends it; call `announce` once requests are taken."""
    config = uvicorn.Config(
        APP,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # we believe proxies by our own rule (app.web.context)
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=max(
            1, int(settings.grace_period - settings.drain_delay - STOP_MARGIN)
        ),
    )
    server = _Server(config, settings, announce)
    try:
        server.run(sockets=[sock])
    except SystemExit:  # uvicorn's way to say that the application did not start
        for problem in server.problems:
            print(f"sluiceway: {problem}", file=sys.stderr)
        return MISCONFIGURED
    return 0


def supervise(
    sock: socket.socket, settings: HttpSettings, announce: Announce = _say_nothing
) -> int:
    """Keep `settings.workers` processes serving one socket until a signal ends them."""
    with tempfile.TemporaryDirectory(prefix="sluiceway-metrics-") as folder:
        return _Supervisor(sock, settings, folder).run(announce)


class _Server(uvicorn.Server):
    """Uvicorn, but SIGTERM first makes the service unready, and stopping has a hard end."""

    def __init__(self, config: uvicorn.Config, settings: HttpSettings, announce: Announce) -> None:
        super().__init__(config)
        self._settings = settings
        self._announce = announce
        self._closes_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (uvicorn's)
        if self._closes_at is None:
            self._app().drain()
            grace = self._settings.grace_period
            watchdog = threading.Timer(grace, _give_up, [grace])
            watchdog.daemon = True
            watchdog.start()
            # At a terminal (SIGINT) nobody routes traffic away first.
            delay = self._settings.drain_delay if sig == signal.SIGTERM else 0.0
            self._closes_at = time.monotonic() + delay
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        if self._closes_at is not None and time.monotonic() >= self._closes_at:
            self.should_exit = True
        return await super().on_tick(counter)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the application did not start."""
        problems: tuple[str, ...] = self._app().problems if self.config.loaded else ()
        return problems

    def _app(self) -> Any:
        app = self.config.loaded_app
        while not hasattr(app, "drain"):
            app = app.app  # uvicorn's own wrappers
        return app


class _Supervisor:
    """Starts workers, starts them again when they die, and passes signals on."""

    def __init__(self, sock: socket.socket, settings: HttpSettings, metrics: str) -> None:
        self._sock = sock
        self._settings = settings
        self._metrics = metrics
        self._workers: list[subprocess.Popen[bytes]] = []
        self._stopping = threading.Event()

    def run(self, announce: Announce) -> int:
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, self._stop)
        self._workers = [self._started() for _ in range(self._settings.workers)]
        announce()
        while not self._stopping.wait(0.2):
            for index, worker in enumerate(self._workers):
                if worker.poll() is None or self._stopping.is_set():
                    continue
                self._forget(worker)
                if worker.returncode == MISCONFIGURED:  # and it has said so
                    self._stop(signal.SIGTERM, None)
                    return self._ended(MISCONFIGURED)
                logger.error("A worker died; another is started.")
                self._stopping.wait(RESTART_PAUSE)
                if not self._stopping.is_set():
                    self._workers[index] = self._started()
        return self._ended(0)

    def _started(self) -> subprocess.Popen[bytes]:
        descriptor = self._sock.fileno()
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--listening-fd", str(descriptor)],
            pass_fds=[descriptor],
            env={**os.environ, MULTIPROC_VARIABLE: self._metrics, "PYTHONPATH": _path()},
            process_group=0,  # Ctrl-C reaches the supervisor alone, which passes it on
        )

    def _stop(self, sig: int, _frame: FrameType | None) -> None:
        self._stopping.set()
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(sig)

    def _ended(self, code: int) -> int:
        deadline = time.monotonic() + self._settings.grace_period + STOP_MARGIN
        for worker in self._workers:
            try:
                worker.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.error("A worker did not stop within the grace period; it is killed.")  # noqa: TRY400 (no traceback is wanted)
                worker.kill()
                worker.wait()
                code = 1
        return code

    def _forget(self, worker: subprocess.Popen[bytes]) -> None:
        # Gauges of a dead worker must not count any longer.
        multiprocess.mark_process_dead(worker.pid, self._metrics)  # type: ignore[no-untyped-call]


def _path() -> str:
    """Return a PYTHONPATH under which workers find the same package."""
    home = str(Path(__file__).parent.parent)
    before = os.environ.get("PYTHONPATH")
    return f"{home}{os.pathsep}{before}" if before else home


def _give_up(grace: float) -> None:
    logger.error("Not stopped within the grace period of %g s; ending all the same.", grace)
    logging.shutdown()
    os._exit(1)
