"""Start the service. Without configuration it runs the demo on the embedded log in this folder."""

import argparse
import asyncio
import json
import logging
import os
import socket
import sys

from app.commands.welcome import banner, writes_to_stdout
from app.config import CONFIG_VARIABLE, load_settings
from app.core.errors import ConfigError
from app.logs import configure_logs
from app.outlets import target_of
from app.server import end_with, listen_as, serve
from app.service import check
from app.settings import ENV_PREFIX
from app.supervisor import supervise

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments; each wins over its setting."""
    parser.add_argument("--config", metavar="FILE", help="settings, as YAML")
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 8192)")
    parser.add_argument("--workers", type=int, help="processes that serve requests (default 1)")
    parser.add_argument(
        "--kafka",
        metavar="HOST:PORT",
        action="append",
        help="produce to this Kafka cluster; may be given several times",
    )
    # How the supervisor starts its workers.
    parser.add_argument("--listening-fd", type=int, action="append", help=argparse.SUPPRESS)
    parser.add_argument("--lifeline-fd", type=int, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal ends it; return 0 if it ended as asked."""
    # Arguments go into the environment, so that workers see the same settings.
    if args.config:
        os.environ[CONFIG_VARIABLE] = args.config
    for name in ("host", "port", "workers"):
        value = getattr(args, name)
        if value is not None:
            os.environ[f"{ENV_PREFIX}HTTP__{name.upper()}"] = str(value)
    if args.kafka:
        servers = [server for given in args.kafka for server in given.split(",")]
        os.environ[f"{ENV_PREFIX}SINK__TYPE"] = "kafka"
        os.environ[f"{ENV_PREFIX}SINK__BOOTSTRAP_SERVERS"] = json.dumps(servers)
    settings = load_settings()
    configure_logs(settings.log.format, settings.log.level)
    http = settings.http
    if args.listening_fd is not None:
        end_with(args.lifeline_fd)
        return serve([socket.socket(fileno=fd) for fd in args.listening_fd], http)
    if http.workers > 1:
        # Said once here, and not by every worker.
        problems, _ = asyncio.run(check(settings))
        if problems:
            raise ConfigError(*problems)
    sockets = listen_as(http)
    port: int = sockets[0].getsockname()[1]

    def announce() -> None:
        # Where events themselves go to standard output, nothing else may.
        stream = sys.stderr if writes_to_stdout(settings) else sys.stdout
        if stream is sys.stderr and settings.log.format == "json":
            facts = {"host": http.host, "port": port, "sink": target_of(settings)}
            logger.info("Sluiceway listens.", extra=facts)
            return
        print(banner(settings, http.host, port), file=stream, flush=True)

    if http.workers > 1:
        return supervise(sockets, http, announce)
    return serve(sockets, http, announce)
