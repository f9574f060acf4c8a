"""Serving in this process: uvicorn, made to drain before it stops, and to stop in the end."""

import asyncio
import functools
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import uvicorn

from app import memory
from app.core.errors import ConfigError
from app.logs import complain
from app.protocol import Connection, Limits, raise_descriptor_limit
from app.settings import HttpSettings

logger = logging.getLogger(__name__)

APP = "app.main:app"
BACKLOG = 2048
STOP_MARGIN = 1.0
"""Seconds of the grace period that are kept for closing the sink."""
LOOK_EVERY = 5
"""Ticks, a tenth of a second each, from one look at all connections to the next."""
MISCONFIGURED = 2

Announce = Callable[[], None]


def say_nothing() -> None:
    """Announce nothing."""


def listen(host: str, port: int) -> socket.socket:
    """Return a new listening socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {host} port {port}: {error.strerror or error}. "
            "Stop what listens there, or take another port with --port."
        ) from error


def listen_as(settings: HttpSettings) -> list[socket.socket]:
    """Return the sockets that settings ask for: the public one, and the internal one if any."""
    sockets = [listen(settings.host, settings.port)]
    if settings.internal_port is not None:
        sockets.append(listen(settings.internal_host, settings.internal_port))
    return sockets


def serve(
    sockets: Sequence[socket.socket], settings: HttpSettings, announce: Announce = say_nothing
) -> int:
    """Serve in this process until a signal ends it; call `announce` once requests are taken.

    Return 0 if it ended as asked, 2 if it could not start.
    """
    limits = Limits(
        header_timeout=settings.header_timeout,
        idle_timeout=settings.idle_timeout,
        write_timeout=settings.write_timeout,
        min_rate=settings.min_body_rate,
        max_connections=raise_descriptor_limit(),
    )
    protocol: Any = functools.partial(Connection, limits)
    config = uvicorn.Config(
        APP,
        http=protocol,
        ws="none",
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
        server.run(sockets=[*sockets])
    except SystemExit:  # uvicorn's way to say that the application did not start
        complain(server.problems)
        return MISCONFIGURED
    return 0


def end_with(lifeline: int) -> None:
    """End this process as SIGTERM would, once nobody holds the other end of a pipe any more."""

    def watch() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


class _Server(uvicorn.Server):
    """Uvicorn, but SIGTERM first makes the service unready, and stopping has a hard end."""

    def __init__(self, config: uvicorn.Config, settings: HttpSettings, announce: Announce) -> None:
        super().__init__(config)
        self._settings = settings
        self._announce = announce
        self._signals: list[int] = []
        self._closes_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        memory.settle()
        memory.keep_giving_back()
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (uvicorn's)
        # This interrupts whatever runs, locks in its hands: the rest is done by `on_tick`.
        if not self._signals:
            watchdog = threading.Timer(self._settings.grace_period, os._exit, [1])
            watchdog.daemon = True
            watchdog.start()
        self._signals.append(sig)

    async def on_tick(self, counter: int) -> bool:
        if counter % LOOK_EVERY == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.look(now)
        if self._signals and self._closes_at is None:
            self._app().drain()
            # At a terminal (SIGINT) nobody routes traffic away first.
            waits = self._signals[0] == signal.SIGTERM
            delay = self._settings.drain_delay if waits else 0.0
            self._closes_at = time.monotonic() + delay
        if self._closes_at is not None and (
            time.monotonic() >= self._closes_at or len(self._signals) > 1
        ):
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
