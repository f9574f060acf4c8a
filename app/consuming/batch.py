"""A batch: lines that are in work together, and which of them are done."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from app.consuming.lines import Line


class Batch:
    """Lines in work; remembers which are done: stored, or refused for good.

    Once `left` is set, what is not done is not tried again, and left as it is.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.done = [False] * len(lines)
        self.left = asyncio.Event()


Take = Callable[[Batch], Coroutine[Any, Any, None]]
"""Processes the lines of a batch in order, until all are done or the batch is left."""
