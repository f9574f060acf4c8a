"""Consume lines of old logs, from a Kafka topic or a file, into the sink of the settings.

Lines go through the service's own pipeline. An offset is committed only when every line before it
is stored, or was refused for good and told of on the error stream.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from app.commands.progress import Progress
from app.config import load_settings
from app.consuming.files import consume_file
from app.consuming.group import consume_topic
from app.consuming.intake import Intake
from app.consuming.subscription import Subscription
from app.consuming.tally import Tally
from app.core.errors import ConfigError
from app.logs import configure_logs
from app.outlets import security_of
from app.service import open_service
from app.settings import KafkaSinkSettings, LogSettings, Settings
from app.sinks.kafka.broker import Access
from app.sinks.kafka.security import Security
from app.sinks.kafka.sink import address_of
from legacy.formats import FORMATS, FormatError, LineFormat
from legacy.logline import PRODUCTION

logger = logging.getLogger(__name__)

CLIENT = "sluiceway-consume"
GROUP = "sluiceway"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--kafka",
        metavar="HOST:PORT",
        action="append",
        help="consume from this Kafka cluster; may be given several times, for its brokers",
    )
    parser.add_argument("--topic", help="the topic with raw lines, one in each message")
    parser.add_argument(
        "--group",
        help=f"consumer group; its members share the partitions (default {GROUP})",
    )
    parser.add_argument(
        "--from",
        dest="begin",
        choices=("earliest", "latest"),
        help="where to begin on partitions of which the group has committed nothing "
        "(default earliest)",
    )
    parser.add_argument(
        "--file", metavar="PATH", help="read lines from a file instead; - is standard input"
    )
    parser.add_argument(
        "--format",
        help="the columns of the lines, such as '%%q %%{recvFrom}s %%{seqId}d %%t', or a name: "
        f"{', '.join(FORMATS)} (default 2018-02)",
    )
    parser.add_argument("--config", metavar="FILE", help="settings, as YAML")


def run(args: argparse.Namespace) -> int:
    """Consume; return the exit code.

    From Kafka 0 once a signal ended it; from a file 0 if every line was accepted, 1 if some were
    refused or left. 2 if it was called or configured wrongly.
    """
    _check(args)
    form = _format(args.format)
    settings = load_settings(args.config)
    # What the sink cannot take waits where it is; a spool would only be another place to wait in.
    unspooled = settings.spool.model_copy(update={"folder": None})
    settings = settings.model_copy(update={"spool": unspooled})
    if args.kafka:
        return asyncio.run(_consume_topic(_subscription(args, settings), settings, form))
    with _opened(args.file) as fd:
        return asyncio.run(_consume_file(fd, settings, form))


async def _consume_topic(subscription: Subscription, settings: Settings, form: LineFormat) -> int:
    async with _intake(settings, form) as (intake, stop):
        await consume_topic(subscription, intake.take, stop)
    return 0


async def _consume_file(fd: int, settings: Settings, form: LineFormat) -> int:
    async with _intake(settings, form, total=os.fstat(fd).st_size) as (intake, stop):
        whole = await consume_file(fd, intake.take, stop)
    return 0 if whole and not intake.tally.invalid else 1


@asynccontextmanager
async def _intake(
    settings: Settings, form: LineFormat, *, total: int | None = None
) -> AsyncIterator[tuple[Intake, asyncio.Event]]:
    """Open a service for lines; the event is set when a signal says to stop."""
    _configure_logs(settings.log)
    tally = Tally()
    progress = Progress(sys.stderr, total=total)

    def beside_the_bar(_record: logging.LogRecord) -> bool:
        progress.clear()
        return True

    for handler in logging.getLogger().handlers:
        handler.addFilter(beside_the_bar)
    try:
        async with open_service(settings) as service:
            intake = Intake(
                service,
                form,
                tally,
                on_progress=lambda: progress.advance(tally.lines, tally.size),
            )
            with _stopping() as stop:
                yield intake, stop
    finally:
        progress.clear()
    logger.info("The consumer has ended.", extra=tally.facts())


@contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """Have the first signal set the event; a second one ends the process as usual."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)

    def on_signal() -> None:
        logger.info("Stopping: the lines in work are finished first.")
        stop.set()
        for each in signals:
            loop.remove_signal_handler(each)

    for each in signals:
        loop.add_signal_handler(each, on_signal)
    try:
        yield stop
    finally:
        for each in signals:
            loop.remove_signal_handler(each)


def _configure_logs(settings: LogSettings) -> None:
    configure_logs(settings.format, settings.level)
    # Of an outage it writes fifty lines a second; what matters of it is told in our words.
    debugging = settings.level == "debug"
    logging.getLogger("aiokafka").setLevel(logging.INFO if debugging else logging.CRITICAL)


def _check(args: argparse.Namespace) -> None:
    if bool(args.kafka) == (args.file is not None):
        raise ConfigError("Say where the lines are: --kafka HOST:PORT and --topic, or --file PATH.")
    if args.kafka and not args.topic:
        raise ConfigError("--kafka goes with --topic: the topic that has the lines.")
    unused = [f"--{name}" for name in ("topic", "group") if getattr(args, name) is not None]
    unused += ["--from"] if args.begin is not None else []
    if args.file is not None and unused:
        raise ConfigError(f"{', '.join(unused)}: only for --kafka; a file is read from its start.")
    if args.group == "":
        raise ConfigError("--group: a group needs a name.")


def _format(text: str | None) -> LineFormat:
    try:
        return LineFormat.parse(text) if text else PRODUCTION
    except FormatError as error:
        raise ConfigError(f"--format: {error}") from error


def _subscription(args: argparse.Namespace, settings: Settings) -> Subscription:
    servers = [server.strip() for given in args.kafka for server in given.split(",")]
    for server in servers:
        try:
            address_of(server)
        except ValueError as error:
            raise ConfigError(f"--kafka: {error}") from error
    sink = settings.sink
    security = security_of(sink) if isinstance(sink, KafkaSinkSettings) else Security()
    return Subscription(
        servers=servers,
        topic=args.topic,
        group=args.group or GROUP,
        begin=args.begin or "earliest",
        patience=settings.http.produce_timeout + 5.0,
        access=Access(
            client_id=CLIENT,
            security_protocol=security.protocol,
            ssl_context=security.context(),
            sasl_mechanism=security.mechanism,
            username=security.username,
            password=security.password,
        ),
    )


@contextmanager
def _opened(name: str) -> Iterator[int]:
    if name == "-":
        yield sys.stdin.fileno()
        return
    try:
        fd = os.open(name, os.O_RDONLY)
        os.read(fd, 0)  # a folder can be opened, too
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror or error}.") from error
    try:
        yield fd
    finally:
        os.close(fd)
