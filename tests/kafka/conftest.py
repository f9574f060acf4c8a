"""Brokers for tests: a real Kafka, started when a test first asks for it, and librdkafka's mock.

A test that asks for `kafka`, `cluster3` or `secure_kafka` shares it with the others: it uses
topics of its own, and leaves every broker running. One that breaks things asks for
`make_cluster`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.kafka.admin import Admin
from tests.kafka.broker import Broker
from tests.kafka.cluster import Cluster
from tests.kafka.jars import NoKafka, kafka_jars
from tests.kafka.mock import MockCluster
from tests.kafka.security import USERS
from tests.support import until

HERE = Path(__file__).parent
REAL = {"kafka", "make_cluster", "cluster3", "secure_kafka"}
SECONDS = 240
NO_KAFKA = "NO KAFKA"
ELSEWHERE = "SLUICEWAY_TEST_KAFKA"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A broker that somebody else runs: it can be used, but not stopped."""

    bootstrap: str
    brokers: tuple[Broker, ...] = ()

    @property
    def admin(self) -> Admin:
        return Admin(self.bootstrap)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE not in item.path.parents:
            continue
        if REAL & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.kafka)
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report tests without a Kafka from one place, so that the summary has one line for all."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        _, _, reason = report.longrepr
        if NO_KAFKA in reason:
            report.longrepr = (str(HERE), 0, reason)
    return report


@pytest.fixture(scope="session")
def jars() -> Path:
    try:
        return kafka_jars()
    except NoKafka as error:
        why = (
            f"{NO_KAFKA}, its tests did not run: {error}. Install a JDK 17 and Maven, or set"
            f" {ELSEWHERE}=host:port to use a broker that runs (for part of them)."
        )
    if os.environ.get("SLUICEWAY_REQUIRE_KAFKA") == "1" and not os.environ.get(ELSEWHERE):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def kafka(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster | Elsewhere]:
    """One broker for everybody."""
    if bootstrap := os.environ.get(ELSEWHERE):
        yield Elsewhere(bootstrap)
        return
    jars = request.getfixturevalue("jars")
    with Cluster(tmp_path_factory.mktemp("kafka"), jars=jars) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture(scope="session")
def cluster3(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three brokers that want two replicas in sync."""
    folder = tmp_path_factory.mktemp("kafka3")
    with Cluster(folder, jars=jars, nodes=3, min_insync=2) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture(scope="session")
def secure_kafka(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One broker whose `secure_bootstrap` takes the users in `USERS` over TLS."""
    folder = tmp_path_factory.mktemp("secure-kafka")
    with Cluster(folder, jars=jars, users=USERS) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture
def make_cluster(
    jars: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Cluster]]:
    """Start clusters that this test alone uses, with the arguments of `Cluster`."""
    with ExitStack() as opened:

        def make_cluster(**options: Any) -> Cluster:
            folder = tmp_path_factory.mktemp("own-kafka")
            cluster = opened.enter_context(Cluster(folder, jars=jars, **options))
            cluster.start()
            return cluster

        yield make_cluster


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic name no other test uses."""
    words = "".join(c if c.isalnum() else "-" for c in request.node.name)
    return f"{words[:150]}-{os.getpid()}-{os.urandom(3).hex()}"


@pytest.fixture
def mock_cluster() -> Iterator[MockCluster]:
    """Three brokers of librdkafka's, which fail as they are told."""
    with MockCluster(brokers=3) as cluster:
        yield cluster


@pytest.fixture
async def produce() -> AsyncIterator[Callable[..., Awaitable[AIOKafkaProducer]]]:
    """Make aiokafka producers that end with the test."""
    made = []

    async def produce(bootstrap: str, **settings: Any) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            **{"acks": "all", "retry_backoff_ms": 50, "metadata_max_age_ms": 1_000} | settings,
        )
        made.append(producer)
        await producer.start()
        return producer

    yield produce
    for producer in made:
        await producer.stop()
    # A TLS connection closes in steps, some after aiokafka is done with it.
    sockets = asyncio.get_running_loop()._selector.get_map()
    await asyncio.to_thread(until, lambda: len(sockets) == 1)  # the loop's own
