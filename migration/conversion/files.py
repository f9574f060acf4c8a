"""Writing files whole: a reader sees the old one or the new one, never half of it."""

import os
from pathlib import Path
from typing import Literal

Change = Literal["written", "changed", "unchanged"]


def write_file(path: Path, text: str) -> Change:
    """Write a file if it differs from what is there; say what was done. Raises OSError."""
    new = text.encode()
    old = path.read_bytes() if path.is_file() else None
    if old == new:
        return "unchanged"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Where a link leads is written, not the link.
    real = path.resolve()
    beside = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        beside.write_bytes(new)
        if old is not None:
            beside.chmod(real.stat().st_mode & 0o7777)
        beside.replace(real)
    finally:
        beside.unlink(missing_ok=True)
    return "written" if old is None else "changed"
