"""The server.properties of a broker that is its own controller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one broker listens: for clients, for other brokers, for the controllers' quorum."""

    client: int
    internal: int
    controller: int
    secure: int | None = None


# Small buffers and few threads, so that three brokers fit on two cores. What decides which
# records are taken (message.max.bytes, log.message.timestamp.after.max.ms) is left as it comes.
LIGHT = {
    "auto.create.topics.enable": "false",
    "background.threads": "2",
    # A killed broker may come back when its last session is over; 9 s is the usual wait.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "4000",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "num.io.threads": "4",
    "num.network.threads": "2",
    "offsets.topic.num.partitions": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
}


def server_properties(
    *,
    node_id: int,
    data: str,
    nodes: Sequence[Ports],
    advertised: int,
    min_insync: int,
    extra: Mapping[str, str],
) -> dict[str, str]:
    """Return every property of node `node_id` of `nodes`, the first of which is 1."""
    here = nodes[node_id - 1]
    listening = {"CLIENT": here.client, "INTERNAL": here.internal}
    told = {"CLIENT": advertised, "INTERNAL": here.internal}
    if here.secure is not None:
        listening["SECURE"] = told["SECURE"] = here.secure
    replicas = str(min(3, len(nodes)))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node_id),
        "log.dirs": data,
        "controller.quorum.voters": ",".join(
            f"{number}@127.0.0.1:{ports.controller}" for number, ports in enumerate(nodes, 1)
        ),
        "listeners": _listeners(listening | {"CONTROLLER": here.controller}),
        "advertised.listeners": _listeners(told),
        "listener.security.protocol.map": (
            "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL"
        ),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INTERNAL",
        "default.replication.factor": replicas,
        "min.insync.replicas": str(min_insync),
        "offsets.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": replicas,
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.replication.factor": replicas,
        **LIGHT,
        **extra,
    }


def text_of(properties: Mapping[str, str]) -> str:
    # A backslash escapes in this format; passwords may hold one.
    return "".join(
        "{}={}\n".format(name, value.replace("\\", "\\\\")) for name, value in properties.items()
    )


def _listeners(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
