"""The requests that move a leader, made by hand.

librdkafka cannot reassign partitions (KIP-455), and the Python binding of its leader election
fails on its own arguments in confluent-kafka 2.16. Any broker passes both on to the controller.
"""

import socket
import struct
from collections.abc import Sequence

ELECT_LEADERS = (43, 2)  # api key and version
REASSIGN_PARTITIONS = (45, 0)
PREFERRED = 0
TIMEOUT_MS = 30_000
CORRELATION = 1
NO_TAGS = b"\0"


def put_first(address: str, topic: str, partition: int, replicas: Sequence[int]) -> None:
    """Keep a partition on these nodes, in this order: the first is the preferred leader."""
    nodes = _array([struct.pack(">i", node) for node in replicas])
    places = _array([struct.pack(">i", partition) + nodes + NO_TAGS])
    topics = _array([_text(topic) + places + NO_TAGS])
    _ask(address, REASSIGN_PARTITIONS, struct.pack(">i", TIMEOUT_MS) + topics + NO_TAGS)


def elect_preferred(address: str, topic: str, partition: int) -> None:
    """Make the preferred replica the leader, unless it is already."""
    places = _array([struct.pack(">i", partition)])
    topics = _array([_text(topic) + places + NO_TAGS])
    body = struct.pack(">b", PREFERRED) + topics + struct.pack(">i", TIMEOUT_MS) + NO_TAGS
    _ask(address, ELECT_LEADERS, body)


def _ask(address: str, api: tuple[int, int], body: bytes) -> None:
    """Send one request and see that it was taken; raises RuntimeError.

    Both answers begin alike. Errors of a partition follow further on: whoever asked sees in the
    metadata what became of it.
    """
    header = struct.pack(">hhi", *api, CORRELATION) + _short_text("sluiceway-tests") + NO_TAGS
    request = header + body
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30.0) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answers:
            (size,) = struct.unpack(">i", _exactly(answers.read(4), 4))
            answer = _exactly(answers.read(size), size)
    correlation, error = struct.unpack(">ix4xh", answer[:11])  # tags and throttle time left out
    if correlation != CORRELATION or error:
        raise RuntimeError(f"Kafka refused request {api}: error {error}")


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise RuntimeError("the broker closed the connection instead of answering")
    return data


def _short_text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _text(text: str) -> bytes:
    return _length(len(text.encode())) + text.encode()


def _array(entries: Sequence[bytes]) -> bytes:
    return _length(len(entries)) + b"".join(entries)


def _length(length: int) -> bytes:
    """Write one more than the length, seven bits to a byte, the lowest first."""
    left = length + 1
    out = bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    out.append(left)
    return bytes(out)
