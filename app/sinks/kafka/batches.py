"""From entries to the bytes of a record batch, the unit in which Kafka stores and acknowledges."""

from collections.abc import Sequence
from functools import lru_cache

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from app.sinks.kafka.accumulator import ANONYMOUS, Batch, Entry

COMPRESSIONS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}

_NO_LIMIT = 2**31 - 1  # what goes into a batch is decided by the accumulator

Headers = list[tuple[str, bytes]]


@lru_cache(maxsize=8192)
def headers_of(schema_uri: str) -> Headers:
    """Return the headers of every record with that schema."""
    return [("$schema", schema_uri.encode()), ("content-type", b"application/json")]


def encoded(batch: Batch, compression: int) -> bytes:
    """Return a batch in Kafka's format, compressed, with its identity and sequence number."""
    identity = batch.identity or ANONYMOUS
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=identity.producer_id,
        producer_epoch=identity.epoch,
        base_sequence=batch.sequence,
        batch_size=_NO_LIMIT,
    )
    append = builder.append
    for offset, entry in enumerate(batch.entries):
        record = entry.record
        append(
            offset,
            timestamp=entry.timestamp_ms,
            key=record.key,
            value=record.value,
            headers=headers_of(record.schema_uri),
        )
    return bytes(builder.build())


def halves(batch: Batch) -> list[Batch]:
    """Return two smaller batches of the same records, in order."""
    middle = len(batch.entries) // 2
    return [Batch(batch.entries[:middle]), Batch(batch.entries[middle:])]


def without(batch: Batch, left_out: Sequence[Entry]) -> list[Batch]:
    """Return a batch of the other records; none if there are no others."""
    gone = {id(entry) for entry in left_out}
    rest = [entry for entry in batch.entries if id(entry) not in gone]
    return [Batch(rest)] if rest else []
