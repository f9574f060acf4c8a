import asyncio
import os
import threading

import pytest

from app.consuming.files import LINES, consume_file
from tests.support import until


class Taker:
    """Takes every line but those it refuses, which it holds until the batch is left."""

    def __init__(self, *refused):
        self.refused = frozenset(refused)
        self.seen = []
        self.largest = 0

    async def __call__(self, batch):
        self.largest = max(self.largest, len(batch.lines))
        for position, line in enumerate(batch.lines):
            self.seen.append(line.text)
            batch.done[position] = line.text not in self.refused
        if not all(batch.done):
            await batch.left.wait()


@pytest.fixture
def opened(tmp_path):
    """Write a file and open it."""
    fds = []

    def opened(data):
        path = tmp_path / "lines"
        path.write_bytes(data)
        fds.append(os.open(path, os.O_RDONLY))
        return fds[-1]

    yield opened
    for fd in fds:
        os.close(fd)


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as target:
        yield source.fileno(), target


async def test_a_file_is_taken_to_its_end_in_bounded_batches(opened):
    lines = [b"%d" % number for number in range(100_000)]
    taker = Taker()

    whole = await consume_file(opened(b"\n".join(lines)), taker, asyncio.Event())

    assert whole
    assert taker.seen == lines
    assert taker.largest == LINES


async def test_what_came_through_a_pipe_is_taken_before_more_comes(pipe):
    fd, target = pipe
    taker = Taker()
    work = asyncio.create_task(consume_file(fd, taker, asyncio.Event()))

    target.write(b"one\ntw")
    await asyncio.to_thread(until, lambda: taker.seen == [b"one"])
    target.write(b"o\nthree")
    await asyncio.to_thread(until, lambda: taker.seen == [b"one", b"two"])
    target.close()

    assert await asyncio.wait_for(work, 20)
    assert taker.seen == [b"one", b"two", b"three"]


async def test_who_waits_for_a_pipe_stops_at_once_and_says_where(pipe, caplog):
    fd, target = pipe
    taker = Taker()
    stop = asyncio.Event()
    threads = threading.active_count()
    work = asyncio.create_task(consume_file(fd, taker, stop))
    target.write(b"one\n\nthree\n")

    await asyncio.to_thread(until, lambda: len(taker.seen) == 2)
    stop.set()
    whole = await asyncio.wait_for(work, 20)

    assert not whole
    assert caplog.records[-1].line == 4
    assert threading.active_count() <= threads + 1  # that of `until`; none hangs on the pipe


async def test_lines_that_the_sink_does_not_take_are_left_when_it_is_time_to_stop(opened, caplog):
    taker = Taker(b"2")
    stop = asyncio.Event()
    work = asyncio.create_task(consume_file(opened(b"0\n1\n2\n3\n"), taker, stop))

    await asyncio.to_thread(until, lambda: len(taker.seen) == 4)
    stop.set()
    whole = await asyncio.wait_for(work, 20)

    assert not whole
    assert caplog.records[-1].line == 3


async def test_what_is_wrong_with_the_taker_is_not_kept_secret(opened):
    async def broken(_batch):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await consume_file(opened(b"1\n"), broken, asyncio.Event())
