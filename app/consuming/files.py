"""Lines from a file, a pipe or a terminal: what has come is taken at once.

A file remembers no position: who stops before its end is told where to go on.
"""

import asyncio
import logging
import os
import stat
from collections.abc import AsyncGenerator

from app.consuming.batch import Batch, Take
from app.consuming.lines import Line, Splitter

logger = logging.getLogger(__name__)

CHUNK = 262_144
LINES = 500
"""Lines that are processed together."""


async def consume_file(fd: int, take: Take, stop: asyncio.Event) -> bool:
    """Take all lines of an open file; return whether its end was reached.

    When `stop` is set, the lines in work are finished unless the sink does not take them.
    """
    stopping = asyncio.create_task(stop.wait())
    chunks = _chunks(fd, stopping)
    try:
        splitter = Splitter("line")
        async for chunk in chunks:
            undone = await _take(list(splitter.feed(chunk)), take, stopping)
            if undone is not None:
                _say_where(undone.number)
                return False
        if stopping.done():
            _say_where(splitter.number + 1)
            return False
        undone = await _take(list(splitter.close()), take, stopping)
        if undone is not None:
            _say_where(undone.number)
        return undone is None
    finally:
        await chunks.aclose()
        stopping.cancel()


def _say_where(number: int) -> None:
    logger.warning(
        "Stopped before the end: lines from this one on were not consumed. "
        "`tail -n +NUMBER` gives them.",
        extra={"line": number},
    )


async def _take(lines: list[Line], take: Take, stopping: "asyncio.Task[bool]") -> Line | None:
    """Take lines; return the first that is not done."""
    for start in range(0, len(lines), LINES):
        if stopping.done():
            return lines[start]
        batch = Batch(lines[start : start + LINES])
        work = asyncio.create_task(take(batch))
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            batch.left.set()
        await work
        if not all(batch.done):
            return batch.lines[batch.done.index(False)]
    return None


async def _chunks(fd: int, stopping: "asyncio.Task[bool]") -> AsyncGenerator[bytes, None]:
    """Read until the end, or until it is time to stop."""
    waits = _may_wait(fd)
    while not stopping.done():
        if waits:
            ready = asyncio.create_task(_readable(fd))
            await asyncio.wait({ready, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                ready.cancel()
                await asyncio.wait({ready})
                return
            chunk = os.read(fd, CHUNK)
        else:
            chunk = await asyncio.to_thread(os.read, fd, CHUNK)
        if not chunk:
            return
        yield chunk


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(fd)


def _may_wait(fd: int) -> bool:
    """Say whether bytes may be long in coming: no thread may hang on them at the end."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)
