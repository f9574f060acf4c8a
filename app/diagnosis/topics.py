"""The topics of streams: whether they exist, and whether all of their replicas keep up."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.diagnosis.findings import Finding, counted, listed, ok, problem, warning
from app.sinks.kafka.metadata import UNKNOWN_TOPIC
from app.sinks.kafka.verdicts import name_of

MAX_COMMANDS = 20
GOOD_REPLICATION = 3

_DENIED = 29
_LEADERLESS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic that events will go to. `keyed`: the stream's events have message keys."""

    name: str
    stream: str
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, by how many brokers hold it; `leader` is negative if it has none."""

    leader: int
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as a broker told of it; `code` is Kafka's error code, 0 if all is well."""

    name: str
    code: int
    partitions: Sequence[Partition] = ()

    @property
    def exists(self) -> bool:
        return self.code in (0, _LEADERLESS) and bool(self.partitions)

    @property
    def replication(self) -> int:
        """The replicas of the partition that has the fewest."""
        return min((each.replicas for each in self.partitions), default=0)

    @property
    def in_sync(self) -> int:
        """The in-sync replicas of the partition that has the fewest."""
        return min((each.in_sync for each in self.partitions), default=0)


@dataclass(frozen=True, slots=True)
class Advice:
    """What commands for the operator are made of; `creates` says whether brokers make topics.

    `creates` is None if the service does not let them, or if that could not be found out.
    """

    bootstrap: str
    brokers: int
    secured: bool = False
    username: str | None = None
    lets_create: bool = False
    creates: bool | None = None


def topics_of(response: Any) -> dict[str, Topic]:
    """Return the topics that a metadata response tells of."""
    return {
        row[1]: Topic(
            row[1],
            row[0],
            tuple(Partition(p[2], len(p[3]), len(p[4])) for p in sorted(row[3], key=_number)),
        )
        for row in response.topics
    }


def judge_topics(
    wanted: Sequence[Wanted], topics: Mapping[str, Topic], advice: Advice
) -> list[Finding]:
    """Return what is found of the topics that are wanted."""
    told = {each.name: topics.get(each.name, Topic(each.name, UNKNOWN_TOPIC)) for each in wanted}
    there = [topic for topic in told.values() if topic.exists]
    missing = [topic.name for topic in told.values() if topic.code == UNKNOWN_TOPIC]
    denied = [topic.name for topic in told.values() if topic.code == _DENIED]
    findings = [*_overview(there)]
    if missing:
        findings.append(_missing(missing, advice))
    if denied:
        findings.append(_denied(denied, advice))
    findings += [
        problem(
            "topics",
            f"{topic.name} cannot be used: {name_of(topic.code)}.",
            "Correct the stream's name, or look into the log of the brokers.",
        )
        for topic in told.values()
        if not topic.exists and topic.code not in (UNKNOWN_TOPIC, _DENIED)
    ]
    return [*findings, *_replicas(there, advice)]


def create_command(topic: str, advice: Advice) -> str:
    """Return the command that creates a topic as it should be on such a cluster."""
    replication = min(GOOD_REPLICATION, max(advice.brokers, 1))
    parts = ["kafka-topics.sh", *_access(advice), "--create", "--topic", topic]
    parts += ["--partitions", "3", "--replication-factor", str(replication)]
    if replication == GOOD_REPLICATION:
        parts += ["--config", "min.insync.replicas=2"]
    return shlex.join(parts)


def grants(topics: Iterable[str], advice: Advice) -> str:
    """Return the commands that let this client use topics."""
    right = ["--add", "--allow-principal", f"User:{advice.username or 'NAME'}"]
    right += ["--operation", "Describe", "--operation", "Write", "--topic"]
    lines = (["kafka-acls.sh", *_access(advice), *right, topic] for topic in topics)
    return _shown(map(shlex.join, lines))


def _overview(there: Sequence[Topic]) -> Iterable[Finding]:
    if there:
        partitions = sum(len(topic.partitions) for topic in there)
        least, most = (f(topic.replication for topic in there) for f in (min, max))
        span = str(least) if least == most else f"{least} to {most}"
        yield ok(
            "topics",
            f"{counted(len(there), 'topic')} with {counted(partitions, 'partition')}, "
            f"replication factor {span}.",
        )


def _missing(names: Sequence[str], advice: Advice) -> Finding:
    how = _shown(create_command(name, advice) for name in names)
    do_not = "does not exist" if len(names) == 1 else "do not exist"
    text = f"{counted(len(names), 'topic')} {do_not}"
    if not advice.lets_create:
        return problem(
            "topics",
            f"{text}: their events are answered 503.",
            f"Create them, with as many partitions as you need:{how}",
        )
    if advice.creates:
        return ok("topics", f"{text} yet; brokers create them at the first event.")
    if advice.creates is None:
        return warning(
            "topics",
            f"{text} yet. sink.create_topics lets brokers create them, but whether they do could "
            "not be found out.",
            f"Look whether auto.create.topics.enable is true on the brokers, or create them:{how}",
        )
    return problem(
        "topics",
        f"{text}, and although sink.create_topics is set, the brokers do not create topics "
        "(auto.create.topics.enable=false): their events are answered 503.",
        f"Create them:{how}",
    )


def _denied(names: Sequence[str], advice: Advice) -> Finding:
    return problem(
        "topics",
        f"This client may not see {listed(names)}: their events are answered 503.",
        f"Give it the rights that it needs:{grants(names, advice)}",
    )


def _replicas(there: Sequence[Topic], advice: Advice) -> Iterable[Finding]:
    headless = [t.name for t in there if any(p.leader < 0 for p in t.partitions)]
    if headless:
        yield problem(
            "topics",
            f"Partitions without a leader: {listed(headless)}. Nothing can be produced to them.",
            "Start the brokers that hold their replicas, and look into their logs.",
        )
    lagging = [t.name for t in there if any(0 < p.in_sync < p.replicas for p in t.partitions)]
    if lagging:
        yield warning(
            "topics",
            f"Replicas that are not in sync: {listed(lagging)}.",
            "Look whether a broker is down or slow (kafka-topics.sh --describe "
            "--under-replicated-partitions); until then an event has fewer copies.",
        )
    single = [t.name for t in there if t.replication == 1]
    if single and advice.brokers > 1:
        yield warning(
            "topics",
            f"Kept by one broker only although there are {advice.brokers}: {listed(single)}.",
            "Give them more replicas (kafka-reassign-partitions.sh): when that broker is down "
            "nothing can be produced to them, and what its disk loses is lost.",
        )


def _shown(lines: Iterable[str]) -> str:
    """Return commands on lines of their own; those beyond MAX_COMMANDS are counted."""
    lines = list(lines)
    left = len(lines) - MAX_COMMANDS
    more = [f"  and so on for {left:,} more"] if left > 0 else []
    return "\n".join(["", *(f"  {line}" for line in lines[:MAX_COMMANDS]), *more])


def _access(advice: Advice) -> list[str]:
    extra = ["--command-config", "client.properties"] if advice.secured else []
    return ["--bootstrap-server", advice.bootstrap, *extra]


def _number(partition: Any) -> int:
    number: int = partition[1]
    return number
