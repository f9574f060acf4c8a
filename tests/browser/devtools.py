"""The DevTools protocol through a pair of pipes: JSON messages, each ended by a NUL."""

import json
import os
import select
import time
from collections import defaultdict
from typing import Any

SECONDS = 20.0


class DevToolsError(Exception):
    """The browser refused a command, fell silent or ended."""


class DevTools:
    """Sends commands to a browser and keeps what it tells between them, by session."""

    def __init__(self, *, to_browser: int, from_browser: int) -> None:
        self._to_browser = to_browser
        self._from_browser = from_browser
        self._unread = b""
        self._last_id = 0
        self._results: dict[int, dict[str, Any]] = {}
        self.told: dict[str | None, list[dict[str, Any]]] = defaultdict(list)

    def call(self, command: str, *, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Give a command and return its result; raises DevToolsError."""
        number = self.begin(command, session=session, **params)
        self.wait(lambda: number in self._results, command)
        answer = self._results.pop(number)
        if "error" in answer:
            raise DevToolsError(f"{command}: {answer['error']['message']}")
        return answer["result"]

    def begin(self, command: str, *, session: str | None = None, **params: Any) -> int:
        """Give a command without waiting for its result; return its number."""
        self._last_id += 1
        message = {"id": self._last_id, "method": command, "params": params}
        if session is not None:
            message["sessionId"] = session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self._to_browser, data) :]
        return self._last_id

    def wait(self, condition: Any, what: str) -> None:
        """Listen until a condition holds; raises DevToolsError if it does not come true."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            left = deadline - time.monotonic()
            readable, _, _ = select.select([self._from_browser], [], [], max(left, 0))
            if not readable:
                raise DevToolsError(f"{what}: the browser did not answer in {SECONDS:g} s.")
            self._read()

    def _read(self) -> None:
        data = os.read(self._from_browser, 1 << 20)
        if not data:
            raise DevToolsError("The browser has ended.")
        *whole, self._unread = (self._unread + data).split(b"\0")
        for text in whole:
            message = json.loads(text)
            if "id" in message:
                self._results[message["id"]] = message
            else:
                self.told[message.get("sessionId")].append(message)
