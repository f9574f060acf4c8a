"""Recorded traffic as portions: ranges of files, small enough to be judged one by one."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from app.commands.oldlines import MAX_LINE
from app.core.errors import ConfigError

PORTION = 8 * 1_048_576
"""Bytes of a file that are judged together. Reports depend on it: it is no setting."""

_GZIP = ".gz"


@dataclass(frozen=True, slots=True)
class Portion:
    """A range of a file's bytes; it has the lines that begin in it. Without an end: all of it."""

    path: str
    source: int
    start: int
    end: int | None


class RecordedLine(NamedTuple):
    """A line and its number in the portion, from 1; `text` is None if it was too long to keep."""

    number: int
    text: bytes | None


def files_of(sources: Sequence[str]) -> list[Path]:
    """Return the files that are named, or are in folders that are; raises ConfigError."""
    files: list[Path] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            files += sorted(file for file in path.rglob("*") if file.is_file())
        elif path.is_file():
            files.append(path)
        else:
            raise ConfigError(f"{source}: there is no such file or folder.")
    if not files:
        raise ConfigError(f"{', '.join(sources)}: there is no file in it.")
    return files


def portions_of(files: Sequence[Path], size: int = PORTION) -> list[Portion]:
    """Cut files into portions, in order. A compressed file is one, since it has no middle."""
    portions = []
    for source, file in enumerate(files):
        if file.suffix == _GZIP:
            portions.append(Portion(str(file), source, 0, None))
            continue
        total = file.stat().st_size
        portions += [
            Portion(str(file), source, start, min(start + size, total))
            for start in range(0, total, size)
        ]
    return portions


def lines_in(portion: Portion) -> Iterator[RecordedLine]:
    """Read the lines of a portion without their ends; raises ConfigError."""
    try:
        yield from _lines_in(portion)
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"{portion.path} cannot be read to its end: {error}.") from error


def _lines_in(portion: Portion) -> Iterator[RecordedLine]:
    with _opened(portion.path) as file:
        at = portion.start
        if at:
            # The line that is under way at the start belongs to the portion before.
            file.seek(at - 1)
            at += _length_of_rest(file) - 1
        number = 0
        while portion.end is None or at < portion.end:
            chunk = file.readline(MAX_LINE + 1)
            if not chunk:
                return
            number += 1
            at += len(chunk)
            text: bytes | None = chunk.rstrip(b"\r\n")
            if len(chunk) > MAX_LINE and not chunk.endswith(b"\n"):
                text = None
                at += _length_of_rest(file)
            yield RecordedLine(number, text)


def _opened(path: str) -> BinaryIO:
    if path.endswith(_GZIP):
        return cast("BinaryIO", gzip.open(path, "rb"))
    return Path(path).open("rb")


def _length_of_rest(file: BinaryIO) -> int:
    """Read to the end of a line; return how many bytes that were."""
    length = 0
    while chunk := file.readline(MAX_LINE):
        length += len(chunk)
        if chunk.endswith(b"\n"):
            break
    return length
