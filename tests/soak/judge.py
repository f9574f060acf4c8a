"""What a soak is judged by: every check with its verdict and the figures that it rests on."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.kafka.ledger import ACCEPTED, Ledger
from tests.kafka.load import Sent
from tests.kafka.reading import Message
from tests.soak.watch import Sample, Worker

MORE_MEMORY = 0.2
MORE_FDS = 10
MOST_SERIES = 5_000
SPAN = 10.0
"""Seconds that a level is taken over."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    passed: bool
    seen: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.passed else 'FAIL'} {self.name}: {self.seen}"


def of_ledger(ledger: Ledger) -> list[Check]:
    """Judge what became of the events."""
    return [
        _none("events lost", ledger.lost),
        _none("events falsely accepted", ledger.false_accepted),
        _none("doubles of events told 201", ledger.bad_doubles),
        Check("events were accepted", bool(ledger.in_kafka), f"{ledger.in_kafka:,} in Kafka"),
    ]


def of_answers(
    sent: Mapping[str, Sent], bad: Collection[str], told: Counter[tuple[str, int]]
) -> list[Check]:
    """Judge what was told: `bad` are the ids of what no answer may accept."""
    refused = [i for i, each in sent.items() if each.told == "400" and i not in bad]
    accepted = [i for i in bad if sent[i].told in ACCEPTED]
    broken = {f"{attack}: {n}" for (attack, status), n in told.items() if status == 500}
    return [
        _none("good events told 400", len(refused)),
        _none("bad events told 201 or 202", len(accepted)),
        Check("no stranger was answered 500", not broken, ", ".join(sorted(broken)) or "none"),
    ]


def of_routes(
    sent: Mapping[str, Sent], messages: Iterable[tuple[Message, str]], topics: Iterable[str]
) -> list[Check]:
    """Judge where events are; `messages` with their ids, `topics` that are more than there were."""
    astray = Counter(
        f"{sent[event_id].stream} in {message.topic}"
        for message, event_id in messages
        if message.topic != sent[event_id].stream
    )
    return [
        Check("events in another topic than their stream's", not astray, _listed(astray)),
        Check("topics that nobody made", not list(topics), ", ".join(topics) or "none"),
    ]


def of_processes(samples: Sequence[Sample], warm: float, workers: int) -> list[Check]:
    """Judge memory and descriptors: the level at second `warm` against the one at the end."""
    before = _between(samples, warm - SPAN, warm)
    after = _between(samples, samples[-1].at - SPAN, samples[-1].at)
    checks = [
        Check(
            "workers at the end",
            all(len(sample.workers) == workers for sample in after),
            f"{len(samples[-1].workers)} of {workers}",
        )
    ]
    memory: list[tuple[str, Callable[[Worker], int], float, str, int]] = [
        ("memory of a worker", lambda w: w.rss, MORE_MEMORY, "MB", 1_000_000),
        ("descriptors of a worker", lambda w: w.fds, 0.0, "", 1),
    ]
    for name, figure, share, unit, scale in memory:
        was, now = _level(before, figure), _level(after, figure)
        limit = was * (1 + share) + (0 if share else MORE_FDS)
        words = f"{was / scale:.0f} {unit} warm, {now / scale:.0f} {unit} at the end".replace(
            "  ", " "
        )
        checks.append(Check(f"{name} is back", 0 < now <= limit, words))
    return checks


def of_metrics(samples: Sequence[Sample], scrapes: int, missed: Sequence[float]) -> list[Check]:
    """Judge whether metrics were to be had throughout, and did not grow without bound."""
    at = ", ".join(f"{moment:.0f} s" for moment in missed[:10])
    most = max((sample.series for sample in samples), default=0)
    return [
        Check(
            "/metrics was served throughout",
            bool(scrapes) and not missed,
            f"{scrapes} times, missed {len(missed)}{': ' if at else ''}{at}",
        ),
        Check("series of metrics are bounded", 0 < most <= MOST_SERIES, f"at most {most:,}"),
    ]


def of_logs(lines: Iterable[str], secrets: Mapping[str, str]) -> list[Check]:
    """Judge what the service said about itself; `secrets` by what they are."""
    found: Counter[str] = Counter()
    count = 0
    defects: list[str] = []
    for line in lines:
        count += 1
        if "traceback" in line.lower():
            defects.append(line.strip())
        for name, secret in secrets.items():
            found[name] += secret in line
    return [
        Check("the service said something", bool(count), f"{count:,} lines"),
        Check("no defect is in the logs", not defects, defects[0][:2_000] if defects else "none"),
        *(_none(f"{name} in the logs", found[name]) for name in secrets),
    ]


def _none(name: str, count: int) -> Check:
    return Check(name, not count, f"{count:,}")


def _listed(found: Counter[str]) -> str:
    return ", ".join(f"{name}: {n:,}" for name, n in sorted(found.items())) or "none"


def _between(samples: Sequence[Sample], start: float, end: float) -> list[Sample]:
    return [sample for sample in samples if start <= sample.at <= end and sample.workers]


def _level(samples: Sequence[Sample], figure: Callable[[Worker], int]) -> float:
    """Return what a worker has on average, over all workers and samples; 0 of none."""
    values = [figure(worker) for sample in samples for worker in sample.workers]
    return sum(values) / len(values) if values else 0


def as_json(checks: Iterable[Check]) -> list[dict[str, Any]]:
    return [{"name": c.name, "passed": c.passed, "seen": c.seen} for c in checks]
