"""This machine's clock: whether it is kept right, and whether others agree with it."""

import ctypes
import errno
import os
import sys
from collections.abc import Callable, Iterable
from typing import ClassVar

from app.diagnosis.findings import Finding, ok, problem, warning
from app.diagnosis.web import Visit

NOTICED = 5.0
"""Seconds of difference from which somebody should know."""
REFUSED = 300.0
"""Seconds of difference from which somebody must act."""

_TIME_ERROR = 5  # what adjtimex returns while the clock is not synchronised
_SYNCHRONISE = (
    "Run a time service (chrony, systemd-timesyncd, ntpd) on this machine, or on the host of this "
    "container, and see that it can reach its servers: `timedatectl` tells."
)


class _Timex(ctypes.Structure):
    """The kernel's `struct timex`, of which only the size and the first field matter here."""

    _fields_: ClassVar = [("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 508)]


def kernel_state() -> int:
    """Return what the Linux kernel says of its clock: 0 to 4 if it is kept right, 5 if not.

    Raises OSError where that cannot be asked. Changes nothing.
    """
    if not sys.platform.startswith("linux"):
        raise OSError(errno.ENOSYS, "only Linux is asked")
    library = ctypes.CDLL(None, use_errno=True)
    timex = _Timex(modes=0)
    state: int = library.adjtimex(ctypes.byref(timex))
    if state < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return state


def examine_clock(
    visits: Iterable[Visit], state: Callable[[], int] = kernel_state
) -> list[Finding]:
    """Judge the clock by the kernel's word and by the time of servers that were visited."""
    return [_of_kernel(state), *_of_servers(visits)]


def _of_kernel(state: Callable[[], int]) -> Finding:
    try:
        synchronised = state() != _TIME_ERROR
    except OSError as error:
        return warning(
            "clock",
            f"Whether the clock is synchronised could not be asked here ({error.strerror}).",
            "See that the host's clock is: `timedatectl` tells.",
        )
    if synchronised:
        return ok("clock", "The kernel says that the clock is synchronised.")
    return warning("clock", "The kernel says that the clock is not synchronised.", _SYNCHRONISE)


def _of_servers(visits: Iterable[Visit]) -> Iterable[Finding]:
    for visit in visits:
        if visit.ahead is None:
            continue
        off = abs(visit.ahead)
        side = "behind" if visit.ahead > 0 else "ahead of"
        text = f"This clock is {off:,.0f} s {side} that of {visit.server}."
        if off >= REFUSED:
            yield problem(
                "clock",
                text,
                f"{_SYNCHRONISE} Events get times that are wrong, and Kafka refuses those that are "
                "too far ahead.",
            )
        elif off >= NOTICED:
            yield warning("clock", text, _SYNCHRONISE)
        else:
            yield ok("clock", f"This clock agrees with that of {visit.server}.")
