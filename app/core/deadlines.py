"""A time limit that many tasks keep, with one timer for all of them."""

import asyncio
from collections.abc import Awaitable, Generator
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlines:
    """Limits how long each of many pieces of work may take, all to the same number of seconds.

    It means what `asyncio.timeout` means. That makes and cancels a timer each time, which costs
    more than most of the work that is limited here; since whoever begins first also ends first,
    one timer is enough. Used by one event loop.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[_Limit, None] = {}  # in the order in which they began
        self._timer: asyncio.TimerHandle | None = None

    def limit(self) -> "_Limit":
        """Return a context manager; it raises TimeoutError if its work takes too long."""
        return _Limit(self)

    async def wait(self, work: Awaitable[T]) -> T:
        """Await something; raises TimeoutError if it takes too long.

        What is done without waiting, as most bodies are that came with their head, is not watched.
        """
        steps = work.__await__()
        try:
            waits_for = steps.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
        with self.limit():
            return await _Begun(steps, waits_for)

    def add(self, limit: "_Limit", loop: asyncio.AbstractEventLoop) -> None:
        """Begin to watch."""
        self._running[limit] = None
        if self._timer is None:
            self._timer = loop.call_at(limit.ends, self._look, loop)

    def remove(self, limit: "_Limit") -> None:
        """Watch no longer. The timer stays, until it finds that nobody needs it."""
        self._running.pop(limit, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._timer = None
        while self._running:
            limit = next(iter(self._running))
            if limit.ends > now:
                self._timer = loop.call_at(limit.ends, self._look, loop)
                return
            del self._running[limit]
            limit.expire()


class _Begun(Awaitable[T]):
    """The rest of something awaitable, of which the first step was taken."""

    __slots__ = ("_steps", "_waits_for")

    def __init__(self, steps: Generator[Any, Any, T], waits_for: Any) -> None:
        self._steps = steps
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    answer = yield waits_for
                except BaseException as error:  # noqa: BLE001 (whatever it is, it is the work's)
                    waits_for = self._steps.throw(error)
                else:
                    waits_for = self._steps.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result


class _Limit:
    """One piece of work, of the task that enters it."""

    __slots__ = ("_cancelling", "_expired", "_owner", "_task", "ends")

    def __init__(self, owner: Deadlines) -> None:
        self._owner = owner
        self._expired = False
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self.ends = 0.0

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "only a task can be limited"
        loop = task.get_loop()
        self._task = task
        self._cancelling = task.cancelling()
        self.ends = loop.time() + self._owner.seconds
        self._owner.add(self, loop)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._owner.remove(self)
        if not self._expired:
            return
        assert self._task is not None
        # Another may have cancelled the task, too: then it stays cancelled.
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        assert self._task is not None
        self._expired = True
        self._task.cancel()
