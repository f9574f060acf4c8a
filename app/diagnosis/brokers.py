"""The brokers of a Kafka cluster: whether each can be reached where it says that it is."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.transaction import InitProducerIdRequest

from app.diagnosis.findings import Finding, counted, listed, ok, problem, warning
from app.diagnosis.probe import PATIENCE, Probe, asked, probe
from app.sinks.kafka.broker import Access
from app.sinks.kafka.metadata import Address
from app.sinks.kafka.verdicts import name_of

MAX_PROBED = 60
"""Brokers beyond this number are counted and not tried."""

_COORDINATOR_BUSY = (14, 15, 16)
_TRIES = 4
_PAUSE = 0.4
_UNUSED = 60_000  # a time-out of transactions, of which there are none

_ADVERTISED = (
    "Bootstrap addresses only find the cluster; events go to the advertised ones. Set "
    "advertised.listeners of broker {node} to an address that can be reached from this machine"
)


@dataclass(slots=True)
class Acquaintance:
    """The brokers that were met; `connections` holds one for each that answers, by its id."""

    findings: list[Finding] = field(default_factory=list)
    cluster_id: str = ""
    nodes: set[int] = field(default_factory=set)
    connections: dict[int, AIOKafkaConnection] = field(default_factory=dict)
    any_connection: AIOKafkaConnection | None = None
    any_address: Address | None = None
    probes: list[Probe] = field(default_factory=list)

    def close(self) -> None:
        """Close every connection."""
        for each in self.probes:
            each.close()


@dataclass(frozen=True, slots=True)
class _Met:
    """A probe, and what its broker told about the cluster: None if it told nothing."""

    probe: Probe
    answer: Any = None

    @property
    def cluster_id(self) -> str:
        return getattr(self.answer, "cluster_id", None) or ""

    @property
    def homes(self) -> dict[Address, int]:
        """Which broker is where; listeners differ in what they say of it."""
        return {Address(row[1], row[2]): row[0] for row in self.answer.brokers}


async def meet_brokers(
    bootstrap: Sequence[Address], access: Access, patience: float = PATIENCE
) -> Acquaintance:
    """Try every bootstrap address, and then every broker at the address that it advertises.

    The caller closes what is returned.
    """
    met = await _met(dict.fromkeys(bootstrap), access, patience)
    known = Acquaintance(probes=[each.probe for each in met.values()])
    told = [each for each in met.values() if each.answer is not None]
    known.findings += _bootstrap_findings(met.values(), any_told=bool(told), access=access)
    if not told:
        return known
    clusters = dict.fromkeys(each.cluster_id for each in told)
    if len(clusters) > 1:
        known.findings.append(
            problem(
                "kafka",
                f"The bootstrap addresses lead to different clusters: {listed(clusters)}.",
                "Let sink.bootstrap_servers name brokers of one cluster only.",
            )
        )
    first = told[0]
    known.cluster_id = first.cluster_id
    known.any_connection = first.probe.connection
    known.any_address = first.probe.address
    homes: dict[Address, int] = {}
    for each in told:
        if each.cluster_id == first.cluster_id:
            homes |= each.homes
    known.nodes = set(homes.values())
    tried = dict(sorted(homes.items(), key=lambda home: home[1])[:MAX_PROBED])
    others = [a for a in tried if a not in met or met[a].answer is None]
    more = await _met(others, access, patience)
    known.probes += [each.probe for each in more.values()]
    found = {**met, **more}
    for address, node in tried.items():
        connection = found[address].probe.connection
        if found[address].answer is not None and connection is not None:
            known.connections[node] = connection
    known.findings += _advertised_findings(known, [(n, found[a]) for a, n in tried.items()])
    if len(homes) > len(tried):
        known.findings.append(
            warning(
                "kafka",
                f"Only {MAX_PROBED} of {len(homes)} brokers were tried.",
                "Run this with other bootstrap servers too, if you must know of all.",
            )
        )
    return known


async def may_number(connection: AIOKafkaConnection, patience: float = PATIENCE) -> Finding:
    """Find out whether the cluster gives this client a producer id, for idempotence."""
    code = None
    for attempt in range(_TRIES):
        if attempt:
            await asyncio.sleep(_PAUSE)
        answer = await asked(connection, InitProducerIdRequest(None, _UNUSED), patience)
        code = answer.error_code if answer is not None else None
        if code not in _COORDINATOR_BUSY:
            break
    if code == 0:
        return ok("kafka", "The cluster gives out a producer id: batches can be numbered.")
    if code is None:
        why = "did not answer when it was asked for a producer id"
    else:
        why = f"gives this client no producer id ({name_of(code)})"
    return warning(
        "kafka",
        f"The cluster {why}: a batch that is sent again may be stored twice.",
        "Give the user the right to Write on its topics (before Kafka 3.0: IdempotentWrite on the "
        "cluster), or set sink.guaranteed.idempotence: false to say that you know.",
    )


async def _met(
    addresses: Iterable[Address], access: Access, patience: float
) -> dict[Address, _Met]:
    async def one(address: Address) -> _Met:
        tried = await probe(address, access, patience)
        if tried.connection is None:
            return _Met(tried)
        return _Met(tried, await asked(tried.connection, MetadataRequest([], False), patience))

    addresses = list(addresses)
    return dict(zip(addresses, await asyncio.gather(*map(one, addresses)), strict=True))


def _bootstrap_findings(
    met: Iterable[_Met], *, any_told: bool, access: Access
) -> Iterable[Finding]:
    for each in met:
        address = each.probe.address
        if each.answer is not None:
            yield ok("kafka", f"{address} answers ({each.probe.seconds * 1000:.0f} ms).")
            continue
        text, advice = _trouble_of(each, access)
        found = warning if any_told else problem
        yield found("kafka", f"{address}: {text}.", advice)


def _trouble_of(each: _Met, access: Access) -> tuple[str, str]:
    if each.probe.trouble is not None:
        return each.probe.trouble.text, each.probe.trouble.advice
    text = "it greets us as a broker, but does not answer a question"
    if access.security_protocol.startswith("SASL"):
        return text, "Look into the broker's log."
    return text, (
        "Most often the port wants SASL: set sink.security_protocol as the broker's listener has "
        "it, and sink.sasl. Else look into the broker's log."
    )


def _advertised_findings(
    known: Acquaintance, at_home: Sequence[tuple[int, _Met]]
) -> Iterable[Finding]:
    lost = False
    for node, each in at_home:
        address = each.probe.address
        how = _ADVERTISED.format(node=node)
        if each.answer is None:
            lost = True
            trouble = each.probe.trouble
            text = trouble.text if trouble else "it does not answer a question there"
            hint = trouble.advice if trouble else "Look into its log."
            yield problem(
                "kafka",
                f"Broker {node} says that it is at {address}, but from here: {text}.",
                f"{how}, or make that address work. {hint}",
            )
        elif each.cluster_id != known.cluster_id:
            lost = True
            yield problem(
                "kafka",
                f"Broker {node} says that it is at {address}, but there is a broker of another "
                f"cluster ({each.cluster_id}).",
                f"{how}.",
            )
    if not lost:
        yield ok(
            "kafka",
            f"Cluster {known.cluster_id}: {counted(len(known.nodes), 'broker')}, each reached at "
            "the address that it advertises.",
        )
