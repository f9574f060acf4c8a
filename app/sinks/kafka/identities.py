"""The producer id by which brokers recognise a batch sent again, and when it must change."""

from app.sinks.kafka.accumulator import ANONYMOUS, Batch, Identity, Lane

_SEQUENCES = 2**31


class Identities:
    """Hands out identity and sequence number of each batch.

    A lane's sequence goes on only when a batch was stored, since one batch at a time is under way
    per lane. So a refused batch leaves no gap, and what is sent after it takes its number. A batch
    whose fate is unknown when it is given up must never lend its number to others: a broker that
    had stored it would take them for it, and drop them. The identity is then retired for good.
    """

    def __init__(self, *, wanted: bool) -> None:
        self.current: Identity | None = None if wanted else ANONYMOUS

    def number(self, lane: Lane, batch: Batch) -> bool:
        """Give a batch its identity and sequence number; say False if there is no identity now."""
        if batch.identity is not None:
            return True
        if self.current is None:
            return False
        if lane.identity is not self.current:
            lane.identity = self.current
            lane.sequence = 0
        batch.identity = self.current
        batch.sequence = -1 if self.current is ANONYMOUS else lane.sequence
        return True

    def stored(self, lane: Lane, batch: Batch) -> None:
        """Count a stored batch."""
        if batch.identity is lane.identity and batch.sequence >= 0:
            lane.sequence = (batch.sequence + len(batch.entries)) % _SEQUENCES

    def give_up(self, batch: Batch) -> None:
        """Note that a batch will not be sent again as it is: what is in doubt takes its identity.

        A broker that has stored it would take the next batch of that number for the same one, and
        answer that it is stored.
        """
        if batch.unclear:
            self.retire(batch.identity)

    def retire(self, identity: Identity | None) -> None:
        """Never number another batch with this identity."""
        if identity is not None and identity is self.current and identity is not ANONYMOUS:
            self.current = None
