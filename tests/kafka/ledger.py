"""The ledger: what was sent, what was told, and what is in Kafka; lost and false must be zero."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.kafka.load import Sent

ACCEPTED = ("201", "202")
"""What promises that an event is, or will be, in Kafka."""
MAY_REPEAT = ("503", "504", "202", "nothing")
"""What allows an event to be there twice, or although it was not promised."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One fault's account. `doubles` counts extra copies, `bad_doubles` those of ids told 201."""

    fault: str
    sent: int
    told: Mapping[str, int]
    in_kafka: int
    on_error_stream: int
    spooled: int
    lost: int
    false_accepted: int
    doubles: int
    bad_doubles: int
    out_of_order: int
    slowest: float

    def __str__(self) -> str:
        told = " ".join(f"{status}:{count:,}" for status, count in sorted(self.told.items()))
        return (
            f"| {self.fault} | {self.sent:,} | {told} | {self.in_kafka:,} | "
            f"{self.on_error_stream:,} | {self.spooled:,} | {self.lost} | {self.false_accepted} | "
            f"{self.doubles:,} ({self.bad_doubles}) | {self.out_of_order} | {self.slowest:.2f} |"
        )


HEAD = (
    "| fault | sent | told | in Kafka | on the error stream | spooled | lost | false acceptance "
    "| duplicates (of ids told 201) | out of order | slowest answer, s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


def ledger_of(
    fault: str,
    sent: Mapping[str, Sent],
    messages: Iterable[object],
    *,
    error_messages: Iterable[object] = (),
    slowest: float = 0.0,
) -> Ledger:
    """Compare what clients were told with what an independent consumer read."""
    copies: Counter[str] = Counter()
    first_seen: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for message in messages:
        event = json.loads(message.value)
        event_id = event["meta"]["id"]
        assert event_id in sent, f"nobody sent {event_id}"
        copies[event_id] += 1
        if copies[event_id] == 1:
            first_seen[f"{message.topic}/{message.partition}"].append(
                (event["client"], event["seq"])
            )
    told = Counter(each.told for each in sent.values())
    return Ledger(
        fault=fault,
        sent=len(sent),
        told=told,
        in_kafka=len(copies),
        on_error_stream=sum(1 for _ in error_messages),
        spooled=told["202"],
        lost=sum(1 for i, each in sent.items() if each.told in ACCEPTED and not copies[i]),
        false_accepted=sum(1 for i, each in sent.items() if each.told == "400" and copies[i]),
        doubles=sum(count - 1 for count in copies.values()),
        bad_doubles=sum(count - 1 for i, count in copies.items() if sent[i].told not in MAY_REPEAT),
        out_of_order=sum(_disorder(seen, sent) for seen in first_seen.values()),
        slowest=slowest,
    )


def _disorder(seen: list[tuple[str, int]], sent: Mapping[str, Sent]) -> int:
    """Count events whose client's later event came first, where both were promised."""
    promised = {(each.client, each.seq) for each in sent.values() if each.told in ACCEPTED}
    latest: dict[str, int] = {}
    count = 0
    for client, seq in seen:
        if (client, seq) not in promised:
            continue
        if seq < latest.get(client, -1):
            count += 1
        latest[client] = max(seq, latest.get(client, -1))
    return count
