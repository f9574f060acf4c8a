"""A broker in a few lines: speaks as much of Kafka's protocol as an examination asks for."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka.protocol.admin import (
    ApiVersionResponse_v0,
    DescribeConfigsRequest_v0,
    DescribeConfigsResponse_v0,
)
from aiokafka.protocol.metadata import MetadataRequest_v5, MetadataResponse_v5
from aiokafka.protocol.transaction import InitProducerIdResponse_v0

from app.diagnosis.rights import MetadataRequestV8, MetadataResponseV8
from app.sinks.kafka.metadata import Address

METADATA, VERSIONS, IDENTITY, CONFIGS = 3, 18, 22, 32
ALL, NOT_TOLD, DESCRIBE = 0x0FF8, -(2**31), 1 << 8
NOT_LISTENING = Address("127.0.0.1", 0)


@dataclass
class FakeBroker:
    """What it tells; `asked` keeps the metadata requests that it was sent.

    `brokers` are those of the cluster; by default it is alone, where it is. A kind of request that
    is in `silent_on` closes the connection.
    """

    cluster_id: str = "fake"
    node_id: int = 1
    brokers: dict[int, Address] = field(default_factory=dict)
    topics: dict[str, Any] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    rights: dict[str, int] = field(default_factory=dict)
    identity_codes: list[int] = field(default_factory=lambda: [0])
    silent_on: set[int] = field(default_factory=set)
    asked: list[Any] = field(default_factory=list)
    address: Address = NOT_LISTENING

    def answer(self, kind: int, version: int, body: bytes) -> Any:
        if kind == VERSIONS:
            kinds = [(VERSIONS, 0, 0), (METADATA, 5, 8), (IDENTITY, 0, 0), (CONFIGS, 0, 0)]
            return ApiVersionResponse_v0(0, kinds)
        if kind == METADATA:
            if version == MetadataRequestV8.API_VERSION:
                return self._rights(MetadataRequestV8.decode(body))
            return self._metadata(MetadataRequest_v5.decode(body))
        if kind == IDENTITY:
            codes = self.identity_codes
            return InitProducerIdResponse_v0(0, codes.pop(0) if len(codes) > 1 else codes[0], 7, 0)
        assert kind == CONFIGS
        return self._described(DescribeConfigsRequest_v0.decode(body))

    def _metadata(self, request: Any) -> Any:
        self.asked.append(request)
        brokers = self.brokers or {self.node_id: self.address}
        rows = [(node, at.host, at.port, None) for node, at in brokers.items()]
        topics = [
            (0, name, False, self.topics[name]) if name in self.topics else (3, name, False, [])
            for name in request.topics
        ]
        return MetadataResponse_v5(0, rows, self.cluster_id, self.node_id, topics)

    def _rights(self, request: Any) -> Any:
        self.asked.append(request)
        rows = [(0, name, False, [], self.rights.get(name, ALL)) for name in request.topics]
        return MetadataResponseV8(0, [], self.cluster_id, 1, rows, NOT_TOLD)

    def _described(self, request: Any) -> Any:
        rows = []
        for kind, name, wanted in request.resources:
            config = self.configs.get(name)
            entries = [(k, v, False, True, False) for k, v in (config or {}).items() if k in wanted]
            rows.append((0 if config is not None else 29, None, kind, name, entries))
        return DescribeConfigsResponse_v0(0, rows)


def partition(number: int = 0, *, leader: int = 1, replicas: int = 1, in_sync: int = 1) -> Any:
    """A row of metadata."""
    nodes = list(range(1, replicas + 1))
    return (0, number, leader, nodes, nodes[:in_sync], [])


@asynccontextmanager
async def listening(broker: FakeBroker) -> AsyncIterator[FakeBroker]:
    """Let a fake broker listen on a free port until the end of the block."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                size = struct.unpack(">i", await reader.readexactly(4))[0]
                frame = await reader.readexactly(size)
                kind, version, correlation, length = struct.unpack(">hhih", frame[:10])
                if kind in broker.silent_on:
                    break
                body = broker.answer(kind, version, frame[10 + length :]).encode()
                writer.write(struct.pack(">ii", len(body) + 4, correlation) + body)
        writer.close()

    async with serving(serve) as address:
        broker.address = address
        yield broker


@asynccontextmanager
async def serving(serve: Any) -> AsyncIterator[Address]:
    """Let something listen on a free port; its connections are over at the end of the block."""
    tasks: set[asyncio.Task[Any]] = set()

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await serve(reader, writer)
        except asyncio.CancelledError:
            pass  # else asyncio's streams would log it
        finally:
            writer.close()

    server = await asyncio.start_server(tracked, "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
