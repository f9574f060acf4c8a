"""What this machine grants the service: open files, and folders with room on their disks."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from app.diagnosis.findings import Area, Finding, ok, problem, sized, warning

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

ENOUGH_FILES = 4096
LOW_DISK = 1024 * 1024 * 1024
"""Bytes below which an embedded log's disk is called nearly full."""


def open_files_limit() -> int | None:
    """Return how many files and connections a process may have open; None if any number."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def examine_limits(limit: Callable[[], int | None] = open_files_limit) -> list[Finding]:
    """Judge how many connections a worker can have at once."""
    most = limit()
    if most is None or most >= ENOUGH_FILES:
        shown = "any number of" if most is None else f"{most:,}"
        return [ok("limits", f"A process started from here may have {shown} files open.")]
    return [
        warning(
            "limits",
            f"A process started from here may have only {most:,} files open; each connection of a "
            "client is one.",
            "Start the service after `ulimit -n 65536`, with LimitNOFILE=65536 in its systemd "
            "unit, or with --ulimit nofile=65536 in its container.",
        )
    ]


def examine_log_file(path: str) -> list[Finding]:
    """Judge the folder of the embedded log, or of a file of lines."""
    if path == "-":
        return [ok("sink", "Events go to standard output.")]
    file = Path(path)
    trouble = folder_trouble(file.parent)
    if file.is_dir():
        trouble = f"{file} is a folder"
    elif file.exists() and not os.access(file, os.W_OK):
        trouble = f"{file} may not be written by this user"
    if trouble:
        return [
            problem(
                "sink",
                f"{trouble}.",
                "Let sink.path name a file in a folder that the service's user may write.",
            )
        ]
    return [*_room(file)]


def folder_trouble(folder: Path) -> str:
    """Say why files cannot be made in a folder that is there; empty if they can."""
    if not folder.is_dir():
        return f"{folder} is {'no folder' if folder.exists() else 'not there'}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} may not be written by this user"
    return ""


def free_room(area: Area, folder: Path) -> int | Finding:
    """Return the free bytes of a folder's disk, or why they are not known."""
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        return warning(
            area,
            f"How much room {folder} has could not be found out ({error.strerror}).",
            "Look at the disk, and whether this user may.",
        )


def _room(file: Path) -> Iterable[Finding]:
    free = free_room("sink", file.parent)
    if isinstance(free, Finding):
        yield free
    elif free < LOW_DISK:
        yield warning(
            "sink",
            f"{file} can be written; its disk has only {sized(free)} left.",
            "Make room: when the disk is full, events are answered 503.",
        )
    else:
        yield ok("sink", f"{file} can be written; its disk has {sized(free)} left.")
