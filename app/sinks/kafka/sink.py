"""The sink into Kafka: admits records or refuses them at once, and answers each by a deadline."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.core.errors import EventError, SinkUnavailable
from app.core.events import Delivery, Record
from app.sinks.base import Health
from app.sinks.kafka.accumulator import RECORD_BYTES, Accumulator, Call, Entry, Lane
from app.sinks.kafka.batches import COMPRESSIONS
from app.sinks.kafka.broker import Access
from app.sinks.kafka.control import Control
from app.sinks.kafka.identities import Identities
from app.sinks.kafka.metadata import Address, Metadata
from app.sinks.kafka.partitioner import Partitioner
from app.sinks.kafka.producer import Producer
from app.sinks.kafka.security import Security
from app.sinks.kafka.sender import Sender
from app.sinks.kafka.supervisor import Supervisor, away
from app.sinks.kafka.topics import Topics

KIB = 1024
MIB = 1024 * KIB

_PATIENCE = 4.0
_LAST_ANSWERS = 0.5
_HINT = "Send it again after a pause."

Acks = Literal["all", "leader"]
Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]


class Watch(Protocol):
    """Told what the sink does, for metrics."""

    def answered(self, seconds: float, batches: int, records: int, size: int) -> None:
        """Note that a broker answered a request of so many batches, records and bytes."""
        ...

    def retried(self, reason: str) -> None:
        """Note that a batch is sent again; `reason` is Kafka's word for why, or `connection`."""
        ...

    def generation(self, reason: str) -> None:
        """Note that a producer was replaced, after an outage or a failure."""
        ...


class Unwatched:
    """Watches nothing."""

    def answered(self, seconds: float, batches: int, records: int, size: int) -> None:
        pass

    def retried(self, reason: str) -> None:
        pass

    def generation(self, reason: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand: for metrics and people."""

    up: bool
    generations: int
    waiting_records: int
    waiting_bytes: int


class KafkaSink:
    """Writes records to Kafka; acknowledged means what `acks` says.

    Records of one partition are written in the order of the calls. Sending again what was not
    acknowledged does not store it twice while `idempotence` is on, and nothing else was wrong.

    Times are in seconds: `timeout` bounds any answer, `linger` is how long the first record of a
    batch waits for others, `silence` how long no broker may answer until Kafka counts as away.
    Timestamps more than `timestamp_ahead` in the future are cut to that, since brokers refuse them
    (message.timestamp.after.max.ms, an hour by default).
    """

    def __init__(
        self,
        bootstrap_servers: Sequence[str],
        *,
        client_id: str = "sluiceway",
        security: Security | None = None,
        acks: Acks = "all",
        idempotence: bool = True,
        compression: Compression = "zstd",
        linger: float = 0.005,
        batch_bytes: int = 512 * KIB,
        max_request_bytes: int = 4 * MIB,
        max_pending_bytes: int = 64 * MIB,
        max_pending_records: int = 200_000,
        timeout: float = 7.0,
        request_timeout: float = 5.0,
        connect_timeout: float = 2.0,
        silence: float = 4.0,
        create_topics: bool = False,
        timestamp_ahead: float = 3540.0,
        watch: Watch | None = None,
    ) -> None:
        self.target = f"kafka {','.join(bootstrap_servers)}"
        self._bootstrap = [address_of(server) for server in bootstrap_servers]
        self._security = security or Security()
        self._client_id = client_id
        self._request_timeout = request_timeout
        self._connect_timeout = connect_timeout
        self._silence = silence
        self._acks = -1 if acks == "all" else 1
        self._compression = COMPRESSIONS[compression]
        self._max_request_bytes = max_request_bytes
        self._timestamp_ahead_ms = int(timestamp_ahead * 1000)
        self._watch = watch or Unwatched()
        self._timeout = timeout
        self._closed = False
        self._metadata = Metadata()
        self._identities = Identities(wanted=idempotence and acks == "all")
        self._accumulator = Accumulator(
            max_bytes=max_pending_bytes,
            max_records=max_pending_records,
            batch_bytes=batch_bytes,
            linger=linger,
            timeout=timeout,
        )
        self._partitioner = Partitioner(self._accumulator, batch_bytes=batch_bytes)
        self._supervisor = Supervisor(
            generation=self._generation,
            accumulator=self._accumulator,
            identities=self._identities,
            watch=self._watch,
            client_id=client_id,
        )
        self._topics = Topics(
            metadata=self._metadata, supervisor=self._supervisor, create=create_topics
        )
        self._access: Access | None = None

    async def start(self) -> None:
        """Connect, or go on trying in the background; raises ConfigError for what cannot work."""
        self._access = Access(
            client_id=self._client_id,
            security_protocol=self._security.protocol,
            ssl_context=await asyncio.to_thread(self._security.context),
            sasl_mechanism=self._security.mechanism,
            username=self._security.username,
            password=self._security.password,
            connect_timeout=self._connect_timeout,
            request_timeout=self._request_timeout,
        )
        await self._supervisor.start(_PATIENCE)

    async def stop(self, grace: float) -> None:
        """Send what was taken, within `grace` seconds; answer for the rest, and disconnect."""
        self._closed = True
        if self._access is None:
            return
        deadline = time.monotonic() + max(0.0, grace - _LAST_ANSWERS)
        while self._accumulator.active and time.monotonic() < deadline:
            if self._supervisor.producer is None:
                break
            await asyncio.sleep(0.01)
        stopping = SinkUnavailable("The service is stopping; it is not stored.", hint=_HINT)
        self._accumulator.give_up(unsent=stopping, in_doubt=self._accumulator.in_doubt())
        try:
            async with asyncio.timeout(_LAST_ANSWERS * 2):
                await self._topics.close()
                await self._supervisor.stop()
        except TimeoutError:
            pass

    async def produce(self, records: Sequence[Record]) -> Sequence[Delivery | EventError]:
        """Write records; answer for each, in order, within the timeout. Raises nothing."""
        if not records:
            return []
        refusal = self._refusal(records)
        if refusal is not None:
            return [refusal] * len(records)
        call = Call(len(records))
        deadline = time.monotonic() + self._timeout
        unknown = self._queue(enumerate(records), call, deadline)
        if unknown:
            await self._queue_unknown(records, unknown, call, deadline)
        return await call.told

    async def healthy(self) -> Health:
        """Say whether records can be written now; what Kafka lacks is told in the detail.

        Once Kafka was reached, this stays true: a service that answers 503 by itself, at once and
        with the reason, is better than one that is taken out of service everywhere when Kafka is
        slow.
        """
        down = self._supervisor.down
        if self._closed:
            return Health(ok=False, detail="The Kafka sink is closed.")
        return Health(ok=self._supervisor.ever_up, detail=down)

    @property
    def figures(self) -> Figures:
        return Figures(
            up=not self._supervisor.down,
            generations=self._supervisor.generations,
            waiting_records=self._accumulator.records,
            waiting_bytes=self._accumulator.bytes,
        )

    @property
    def cluster_id(self) -> str:
        """The cluster's own name for itself, empty until it was reached."""
        return self._metadata.cluster_id

    def _refusal(self, records: Sequence[Record]) -> EventError | None:
        if self._closed:
            return SinkUnavailable("The service is stopping.", hint=_HINT)
        if self._supervisor.down:
            return away()
        size = sum(map(_size_of, records))
        return self._accumulator.refusal(len(records), size)

    def _queue(
        self, numbered: Iterable[tuple[int, Record]], call: Call, deadline: float
    ) -> dict[str, list[int]]:
        """Queue records; return the positions of those whose topic is not known yet."""
        now = time.monotonic()
        latest = int(time.time() * 1000) + self._timestamp_ahead_ms
        unknown: dict[str, list[int]] = {}
        known: dict[str, Sequence[int]] = {}
        sticky: dict[str, list[Entry]] = {}
        gathered: dict[Lane, list[Entry]] = {}
        for position, record in numbered:
            topic = record.topic
            timestamp = record.timestamp_ms
            if not 0 <= timestamp <= latest:
                timestamp = max(0, min(timestamp, latest))
            entry = Entry(record, call, position, _size_of(record), timestamp, deadline)
            if record.key is None and (entries := sticky.get(topic)) is not None:
                entries.append(entry)
                continue
            leaders = known.get(topic) or self._topics.leaders(topic)
            if leaders is None:
                unknown.setdefault(topic, []).append(position)
                continue
            if topic not in known:
                known[topic] = leaders
                self._metadata.touch(topic, now)
            if record.key is None:
                lane = self._partitioner.unkeyed(topic, leaders, now)
                sticky[topic] = gathered.setdefault(lane, [])
            else:
                lane = self._partitioner.keyed(topic, record.key, len(leaders))
            gathered.setdefault(lane, []).append(entry)
        wake = False
        for lane, entries in gathered.items():
            size = sum([entry.size for entry in entries])
            wake |= self._accumulator.add(lane, entries, size, now)
        if wake:
            self._supervisor.wake()
        return unknown

    async def _queue_unknown(
        self,
        records: Sequence[Record],
        unknown: dict[str, list[int]],
        call: Call,
        deadline: float,
    ) -> None:
        async def one(topic: str, positions: list[int]) -> None:
            failure = await self._topics.look_up(topic)
            if failure is None:
                left = self._queue(((p, records[p]) for p in positions), call, deadline)
                positions = left.get(topic, [])
                failure = SinkUnavailable(f"The topic {topic} has just gone.", hint=_HINT)
            for position in positions:
                call.tell(position, failure)

        await asyncio.gather(*(one(topic, places) for topic, places in unknown.items()))

    def _generation(self) -> Producer:
        access = self._access
        assert access is not None
        return Producer(
            control=Control(bootstrap=self._bootstrap, access=access, metadata=self._metadata),
            metadata=self._metadata,
            identities=self._identities,
            sender=lambda refresh: Sender(
                accumulator=self._accumulator,
                metadata=self._metadata,
                identities=self._identities,
                access=access,
                acks=self._acks,
                compression=self._compression,
                max_request_bytes=self._max_request_bytes,
                watch=self._watch,
                refresh=refresh,
            ),
            silence=self._silence,
            on_gone=self._topic_gone,
        )

    def _topic_gone(self, topic: str) -> None:
        self._accumulator.refuse_unsent(self._topics.gone(topic), topic)


def address_of(server: str) -> Address:
    """Return the address that `host:port`, `[v6]:port` or `host` (port 9092) means; ValueError."""
    host, separator, port = server.strip().rpartition(":")
    if not separator or (host.count(":") and not host.endswith("]")):
        host, port = server.strip(), "9092"
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:  # noqa: PLR2004 (ports)
        message = f"{server!r} is no address of a broker; write it like kafka1.example.org:9092"
        raise ValueError(message)
    return Address(host, int(port))


def _size_of(record: Record) -> int:
    return len(record.value) + (len(record.key) if record.key else 0) + RECORD_BYTES
