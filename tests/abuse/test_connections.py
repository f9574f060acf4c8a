"""Connections that are idle, slow or broken off, by the thousand; honest requests beside them."""

import asyncio
import json
import re
import resource
import signal
import socket
import struct
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.support import served

pytestmark = pytest.mark.slow

LIMITS = {
    "SLUICEWAY_HTTP__HEADER_TIMEOUT": "3",
    "SLUICEWAY_HTTP__IDLE_TIMEOUT": "5",
    "SLUICEWAY_HTTP__BODY_TIMEOUT": "20",
    "SLUICEWAY_HTTP__MIN_BODY_RATE": "1000",
    "SLUICEWAY_HTTP__WRITE_TIMEOUT": "3",
    "SLUICEWAY_HTTP__GRACE_PERIOD": "6",
}
STREAM = "demo.button.click"
HEAD = b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
MIB = 1024 * 1024


def event(**more):
    return {"$schema": "/demo/button/click/1.0.0", "meta": {"stream": STREAM}, "button": "x"} | more


def post(value):
    body = json.dumps(value).encode()
    return HEAD + b"content-length: %d\r\n\r\n%b" % (len(body), body)


def resident(pid):
    """Return the resident memory of a process, in bytes."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.fixture(scope="module", autouse=True)
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 8_192), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("connections"), **LIMITS) as service:
        assert service.post(event())[0] == 201
        yield service
        assert service.post(event())[0] == 201
        service.assert_nothing_was_wrong()


@asynccontextmanager
async def connected(service, number=1, **options):
    """Open so many connections; close them at the end."""
    host, port = service.url.removeprefix("http://").split(":")
    gate = asyncio.Semaphore(100)

    async def one():
        async with gate:
            return await asyncio.open_connection(host, int(port), **options)

    streams = await asyncio.gather(*(one() for _ in range(number)))
    try:
        yield streams
    finally:
        for _, writer in streams:
            writer.transport.abort()


async def answer_of(reader):
    """Return the status and the body of an answer; None if the connection ended without one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None, b""
    length = re.search(rb"content-length: (\d+)", head.lower())
    return int(head.split()[1]), await reader.readexactly(int(length[1]) if length else 0)


async def until(holds, seconds):
    """Wait until something holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        await asyncio.sleep(0.05)


async def until_closed(reader, seconds):
    """Return what still came before the other side closed."""
    said = b""
    async with asyncio.timeout(seconds):
        # Part by part: what came before an error is lost to who waits for all of it.
        with suppress(ConnectionError):
            while part := await reader.read(65_536):
                said += part
    return said


class Honest:
    """Posts good events one after the other, and asks for the metrics now and then."""

    def __init__(self, service):
        self._service = service
        self.seconds = []
        self.statuses = set()
        self.metrics = set()

    async def __aenter__(self):
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_):
        self._stop.set()
        await self._task

    async def _run(self):
        async with connected(self._service) as [(reader, writer)]:
            while not self._stop.is_set():
                began = time.monotonic()
                writer.write(post(event()))
                status, _ = await answer_of(reader)
                self.seconds.append(time.monotonic() - began)
                self.statuses.add(status)
                if len(self.seconds) % 20 == 0:
                    writer.write(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
                    status, _ = await answer_of(reader)
                    self.metrics.add(status)
                await asyncio.sleep(0.02)

    def check(self):
        """See that nobody honest noticed anything."""
        assert len(self.seconds) > 20
        assert self.statuses == {201}
        assert self.metrics <= {200}
        self.seconds.sort()
        assert self.seconds[int(len(self.seconds) * 0.99)] < 0.5


async def idle(_writer):
    """Say nothing."""


async def slow_head(writer):
    writer.write(b"POST /v1/events HTTP/1.1\r\nx: ")
    for _ in range(60):
        await asyncio.sleep(0.5)
        writer.write(b"y")


async def slow_body(writer):
    writer.write(HEAD + b"content-length: 100000\r\n\r\n[")
    for _ in range(100):
        await asyncio.sleep(0.2)
        writer.write(b" ")


@pytest.mark.parametrize(
    ("behave", "number", "answer"),
    [(idle, 2_000, b""), (slow_head, 500, b"HTTP/1.1 408 "), (slow_body, 200, b"HTTP/1.1 408 ")],
    ids=["idle", "slow_heads", "slow_bodies"],
)
async def test_who_takes_too_long_is_cut_and_nobody_else_notices(service, behave, number, answer):
    pid = service.process.pid
    before = descriptors(pid), resident(pid)
    async with Honest(service) as honest, connected(service, number) as streams:
        behaving = [asyncio.create_task(behave(writer)) for _, writer in streams]
        await until(lambda: len(honest.seconds) > 40, 20)

        said = await asyncio.gather(*(until_closed(reader, 30) for reader, _ in streams))

        for task in behaving:
            task.cancel()
        await asyncio.gather(*behaving, return_exceptions=True)

    assert {each[: len(answer)] for each in said} == {answer}
    honest.check()
    assert descriptors(pid) < before[0] + 10
    assert resident(pid) < before[1] * 1.2 + 16 * MIB


async def test_clients_that_do_not_take_in_their_answers_are_cut(service):
    pid = service.process.pid
    bad = post([event(button=7, page="z" * 40_000)] * 20)  # the answer repeats them
    before = descriptors(pid), resident(pid)
    async with Honest(service) as honest, connected(service, 60, limit=1) as streams:
        for _, writer in streams:
            writer.transport.pause_reading()
        for start in range(0, len(streams), 10):
            for _, writer in streams[start : start + 10]:
                writer.write(bad)
            await asyncio.sleep(0.3)

        await until(lambda: descriptors(pid) <= before[0] + 5, 30)

    honest.check()
    assert resident(pid) < before[1] * 1.2 + 40 * MIB


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (b"GET /beacon/event?" + b"a" * 5 * MIB + b" HTTP/1.1\r\n\r\n", {414, None}),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MIB, {431, None}),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 5 * MIB, {431, None}),
        (HEAD + b"content-length: 2147483648\r\n\r\n" + b"x" * 12 * MIB, {413}),
        (
            HEAD
            + b"transfer-encoding: chunked\r\n\r\n"
            + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 400,
            {413},
        ),
    ],
    ids=["url", "headers", "header", "length", "chunks"],
)
async def test_what_is_far_too_large_is_refused_and_costs_nothing(service, data, statuses):
    pid = service.process.pid
    before = resident(pid)
    answers = []
    async with Honest(service) as honest:
        for _ in range(8):
            async with connected(service) as [(reader, writer)]:
                writer.write(data)
                answers.append((await answer_of(reader))[0])
        await until(lambda: len(honest.seconds) > 30, 20)

    # A client that writes on without reading may lose the answer to the closed connection.
    assert set(answers) <= statuses
    honest.check()
    assert resident(pid) < before + 40 * MIB


async def test_clients_that_leave_at_any_moment_leave_nothing_behind(service):
    before = descriptors(service.process.pid)
    batch = post([event(number=n, button="y" * 200) for n in range(50)])
    reset = struct.pack("ii", 1, 0)
    async with Honest(service) as honest:
        for part in range(1, len(batch) + 1, len(batch) // 40):
            async with connected(service) as [(_, writer)]:
                writer.write(batch[:part])
                await writer.drain()
                if part % 2:
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        for wait in range(40):
            async with connected(service) as [(_, writer)]:
                writer.write(batch)
                await writer.drain()
                await asyncio.sleep(wait / 1_000)

    numbers = [
        row["event"]["number"]
        for row in service.log("--stream", STREAM)
        if "number" in row["event"]
    ]
    # A batch is stored whole or not at all.
    assert len({numbers.count(n) for n in range(50)}) == 1
    assert set(numbers) <= set(range(50))
    honest.check()
    await until(lambda: descriptors(service.process.pid) <= before + 2, 10)


def bytewise(data):
    return [bytes([byte]) for byte in data]


@pytest.mark.parametrize(
    "data",
    [
        post(event()),
        HEAD
        + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(json.dumps(event()))
        + json.dumps(event()).encode()
        + b"\r\n0\r\n\r\n",
    ],
    ids=["length", "chunked"],
)
async def test_a_request_may_come_byte_by_byte(service, data):
    async with connected(service) as [(reader, writer)]:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in bytewise(data):
            writer.write(byte)
            await writer.drain()

        status, _ = await answer_of(reader)

    assert status == 201


async def test_a_thousand_requests_on_one_connection_are_answered_in_turn(service):
    good, bad, health = (
        post(event()),
        post(event(button=7)),
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
    )
    async with connected(service) as [(reader, writer)]:
        sending = asyncio.create_task(_send(writer, [good, bad, health] * 334))

        statuses = [(await answer_of(reader))[0] for _ in range(1_002)]

        await sending
    assert statuses == [201, 400, 200] * 334


async def _send(writer, parts):
    for part in parts:
        writer.write(part)
        await writer.drain()


async def test_what_follows_a_request_that_ends_the_connection_is_not_done(service):
    last = post(event()).replace(b"host: x", b"host: x\r\nconnection: close")
    before = len(service.log("--stream", STREAM))
    async with connected(service) as [(reader, writer)]:
        writer.write(last + post(event()))

        said = await until_closed(reader, 10)

    assert said.count(b"HTTP/1.1 ") == 1
    assert len(service.log("--stream", STREAM)) == before + 1


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_nobody_keeps_a_service_from_stopping(tmp_path, workers):
    bad = post([event(button=7, page="z" * 40_000)] * 20)  # the answer repeats them
    with served(tmp_path, SLUICEWAY_HTTP__WORKERS=workers, **LIMITS) as service:
        async with connected(service, 60) as streams:
            whole = [*range(10)]
            for number, (_, writer) in enumerate(streams):
                if number in whole:
                    continue
                match number % 5:
                    case 0:  # half a body
                        writer.write(HEAD + b"content-length: 1000\r\n\r\n[")
                    case 1:  # half a head
                        writer.write(b"POST /v1/ev")
                    case 2:  # an answer that nobody takes in
                        writer.transport.pause_reading()
                        writer.write(bad)
                    case 3:  # a request that was answered
                        writer.write(post(event(number=1_000)))
            for number in whole:
                streams[number][1].write(post(event(number=number)))
            told = await asyncio.gather(*(answer_of(streams[n][0]) for n in whole))
            began = time.monotonic()

            service.process.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(service.process.wait, 20)

            took = time.monotonic() - began
        stored = {row["event"].get("number") for row in service.log("--stream", STREAM)}

    assert [status for status, _ in told] == [201] * 10
    assert stored >= set(whole)
    assert took < 7.5
    assert code in (0, 1)  # 1: a worker that did not end by itself was ended
