"""A process that outlives this one by a moment, to kill the brokers it would leave behind.

Finalizers stop brokers in the ordinary way. The warden is for when they cannot run: it reads
`+pid` and `-pid` lines from a pipe whose other end is ours, and when that end closes, however we
died, it kills the process groups that are left. It asks nothing of the platform but pipes.
"""

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterable


class Warden:
    """Our end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__],
            stdin=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,  # Ctrl-C must not end it before the brokers
        )

    def watch(self, pid: int) -> None:
        self._tell(f"+{pid}\n")

    def forget(self, pid: int) -> None:
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """End the watch: whatever is still watched is killed now."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line)


@functools.cache
def warden() -> Warden:
    """Return this process's warden, started with the first broker."""
    started = Warden()
    atexit.register(started.close)
    return started


def keep_watch(lines: Iterable[str]) -> None:
    """Read until the other end closes, then kill the process groups that were not forgotten."""
    watched: set[int] = set()
    for line in lines:
        change = watched.add if line[0] == "+" else watched.discard
        change(int(line[1:]))
    for pid in watched:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    keep_watch(sys.stdin)
