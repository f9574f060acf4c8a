"""Admission: a worker that has more to do than it can says so early, and does the rest in time.

What requests wait for is their turn on the event loop, and then their turn to be written. A clock
on that loop runs as late as they do, and a sink that has a queue knows how long it is: so nothing
has to be measured for each request.

One request that takes long makes the clock late as well, but leaves no queue behind: turning others
away would spare them nothing. So where the clock was late, what counts is how long the loop takes
for all that has come meanwhile, if that is less.
"""

import asyncio
import time
from collections.abc import Callable

TICK = 0.05
"""Seconds between two looks at the clock."""
PATIENCE = 0.5
"""Seconds of a full queue that are borne: one large batch, or a burst, is no overload."""
STEEPER = 0.1
FLATTER = 0.05


class Admission:
    """Turns requests away, a growing share of them, while the queue stays longer than it may.

    `max_queue_time` is in seconds; 0 admits everything. `of_sink` says how many seconds long the
    queue of the sink is. The share that is refused rises and falls in steps, so that what is
    admitted is about what can be done, rather than all and nothing in turn.
    """

    def __init__(
        self,
        max_queue_time: float,
        *,
        of_sink: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._of_sink = of_sink
        self._max_queue_time = max_queue_time
        self._clock = clock
        self._full_since: float | None = None
        self._share = 0.0
        self._owed = 0.0
        self.queue_time = 0.0
        """Seconds that a request waited for its turn when it was last looked at."""
        self.refused = 0
        """Requests that were turned away."""

    def admits(self) -> bool:
        """Say whether the request that asks may come in; counts it if not."""
        if not self._share:
            return True
        self._owed += self._share
        if self._owed < 1:
            return True
        self._owed -= 1
        self.refused += 1
        return False

    def look(self, queue_time: float) -> None:
        """Take in how long requests wait now."""
        self.queue_time = queue_time
        if not self._max_queue_time:
            return
        now = self._clock()
        if queue_time <= self._max_queue_time:
            self._full_since = None
            self._share = max(0.0, self._share - FLATTER)
            return
        # A queue of that length began to grow as long ago as it is.
        if self._full_since is None:
            self._full_since = now - queue_time
        if now - self._full_since > PATIENCE:
            over = min(3.0, queue_time / self._max_queue_time)
            self._share = min(1.0, self._share + STEEPER * over)

    async def run(self) -> None:
        """Look at the clock until it is cancelled."""
        while True:
            due = self._clock() + TICK
            await asyncio.sleep(TICK)
            late = max(0.0, self._clock() - due)
            if late > TICK:
                late = min(late, await self._next_round())
            self.look(late + self._of_sink())

    async def _next_round(self) -> float:
        began = self._clock()
        await asyncio.sleep(0)  # until what was ready already is done
        await asyncio.sleep(0)  # until what came is
        return self._clock() - began
