"""A Kafka cluster of one or more brokers on loopback."""

import base64
import secrets
import shutil
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from tests.kafka.admin import Admin
from tests.kafka.broker import Broker, PortTaken
from tests.kafka.forwarder import Forwarder
from tests.kafka.ports import free_ports
from tests.kafka.properties import Ports, server_properties, text_of
from tests.kafka.security import Security

TRIES = 4


class Cluster:
    """Brokers 1 to `nodes`, each a controller as well; made and started by `start`.

    With `users` (name to password) there is a second listener, SASL_SSL, that takes them by
    SCRAM-SHA-512 and PLAIN. With `links`, clients reach each broker through a forwarder of its
    own, `cluster.links[node_id]`, while brokers reach each other directly. `config` overrides any
    server property.
    """

    def __init__(
        self,
        folder: Path,
        *,
        jars: Path,
        nodes: int = 1,
        min_insync: int = 1,
        users: Mapping[str, str] | None = None,
        links: bool = False,
        config: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.brokers = [
            Broker(node_id=number, folder=folder / f"broker-{number}", jars=jars)
            for number in range(1, nodes + 1)
        ]
        self.links = {broker.node_id: Forwarder() for broker in self.brokers} if links else {}
        self._min_insync = min_insync
        self._security = Security(folder, users) if users else None
        self._config = dict(config or {})
        self._ports: list[Ports] = []
        self._door: Forwarder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bootstrap(self) -> str:
        """Where clients find all brokers: other addresses after `readdress`."""
        return self._at(self._advertised(broker) for broker in self.brokers)

    @property
    def internal_bootstrap(self) -> str:
        """The listener of the brokers among themselves, which no link stands before."""
        return self._at(ports.internal for ports in self._ports)

    @property
    def secure_bootstrap(self) -> str:
        assert self._security, "make the cluster with users to have a secure listener"
        return self._at(ports.secure for ports in self._ports)

    @property
    def certificate(self) -> Path:
        """The certificate of the secure listener, which its clients must trust."""
        assert self._security, "make the cluster with users to have a secure listener"
        return self._security.certificate

    @property
    def door(self) -> Forwarder:
        """An address of the first broker that stays the same over `readdress`.

        It stands for the name or balancer that operators give as the bootstrap address; what
        brokers tell clients about themselves is where they listen now.
        """
        if self._door is None:
            self._door = Forwarder(self.brokers[0].port)
        return self._door

    @property
    def admin(self) -> Admin:
        """An administrator who knows the brokers that answer now."""
        both = zip(self.brokers, self._ports, strict=True)
        return Admin(self._at(ports.internal for broker, ports in both if broker.answering))

    def start(self) -> None:
        """Choose ports, format the storage, start every broker and wait until all are ready."""
        if self._security:
            self._security.make_key()
        self._settle()

    def stop(self) -> None:
        """Stop every broker at once; what they hold stays."""
        # A cluster of several loses its quorum on the way, so that the last ones cannot leave
        # in good order: they get little time for it.
        grace = 30.0 if len(self.brokers) == 1 else 5.0
        stops = [threading.Thread(target=b.stop, args=(grace,)) for b in self.brokers]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def kill(self) -> None:
        for broker in self.brokers:
            broker.kill()

    def wait_ready(self) -> None:
        for broker in self.brokers:
            broker.wait_ready()

    def readdress(self) -> None:
        """Stop all brokers, and start them on the same data with new addresses."""
        assert not self.links, "links give brokers addresses that do not change"
        self.stop()
        self._settle()
        if self._door:
            self._door.target = self.brokers[0].port

    def close(self) -> None:
        """Kill everything and drop the data; logs and properties stay for whoever looks."""
        self.kill()
        for forwarder in self.links.values():
            forwarder.close()
        if self._door:
            self._door.close()
        for broker in self.brokers:
            shutil.rmtree(broker.data, ignore_errors=True)

    def _at(self, ports: Iterable[int | None]) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in ports)

    def _advertised(self, broker: Broker) -> int:
        return self.links[broker.node_id].port if self.links else broker.port

    def _settle(self) -> None:
        """Start on new ports; on others still, if somebody takes one of them meanwhile."""
        for _ in range(TRIES - 1):
            try:
                self._start_elsewhere()
            except PortTaken:
                self.kill()
            else:
                return
        self._start_elsewhere()

    def _start_elsewhere(self) -> None:
        self._move_in()
        if not self.brokers[-1].data.exists():
            self._format()
        for broker in self.brokers:
            broker.start()
        self.wait_ready()

    def _move_in(self) -> None:
        """Give every broker free ports, and write them down."""
        each = 4 if self._security else 3
        free = iter(free_ports(each * len(self.brokers)))
        self._ports = [Ports(*(next(free) for _ in range(each))) for _ in self.brokers]
        for broker, ports in zip(self.brokers, self._ports, strict=True):
            broker.port = ports.client
            if self.links:
                self.links[broker.node_id].target = ports.client
            properties = server_properties(
                node_id=broker.node_id,
                data=str(broker.data),
                nodes=self._ports,
                advertised=self._advertised(broker),
                min_insync=self._min_insync,
                extra=(self._security.properties() if self._security else {}) | self._config,
            )
            broker.properties.write_text(text_of(properties))

    def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(b"S" + secrets.token_bytes(15)).decode().rstrip("=")
        users = self._security.scram() if self._security else []
        formats = [
            subprocess.Popen(
                broker.java(
                    *("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id),
                    *("--config", str(broker.properties), *users),
                ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for broker in self.brokers
        ]
        for process in formats:
            said, _ = process.communicate(timeout=120)
            if process.returncode:
                raise RuntimeError(f"Kafka could not format its storage:\n{said[-2000:]}")
