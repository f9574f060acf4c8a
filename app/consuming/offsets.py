"""Offsets: what may be committed of records, given which of their lines are done."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar


class HasOffset(Protocol):
    """A record of a partition."""

    @property
    def offset(self) -> int: ...


Partition = TypeVar("Partition")


def offsets_of(
    records: Mapping[Partition, Sequence[HasOffset]], done: Iterable[bool]
) -> dict[Partition, int]:
    """Return for each partition the offset to go on from: that of its first line not done.

    `done` has one entry for each record, partition by partition. A partition whose very first line
    is not done is left out: there is nothing to commit.
    """
    flags = iter(done)
    offsets = {}
    for partition, written in records.items():
        finished = [next(flags) for _ in written]
        count = finished.index(False) if False in finished else len(finished)
        if count:
            offsets[partition] = written[count - 1].offset + 1
    return offsets
