"""librdkafka's mock cluster: TCP brokers in this process that fail as they are told.

It keeps nothing, checks no idempotent sequences and has no admin API: use it for faults a real
broker cannot be asked for. The C functions are those of `rdkafka_mock.h`, called in the library
that the confluent-kafka wheel brings.
"""

import ctypes
import functools
from ctypes import POINTER, byref, c_char_p, c_int, c_int16, c_int32, c_int64, c_size_t, c_void_p
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Self

import confluent_kafka

PRODUCER = 0  # rd_kafka_type_t: any handle will do, the mock only wants one
ALL_BROKERS = -1
DISCONNECT = -195  # RD_KAFKA_RESP_ERR__TRANSPORT: instead of an answer, the connection closes


class Api(IntEnum):
    """Kinds of requests, by Kafka's own number."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    API_VERSIONS = 18
    INIT_PRODUCER_ID = 22


@dataclass(frozen=True, slots=True)
class Request:
    """A request that arrived while requests were tracked."""

    broker: int
    api: int
    at_us: int  # by librdkafka's clock: for differences only


class MockCluster:
    """Brokers 1 to `brokers` on loopback, until `close`.

    Topics that nobody created appear when a client asks for them, with four partitions.
    """

    def __init__(self, brokers: int = 3) -> None:
        self._c = _library()
        error = ctypes.create_string_buffer(512)
        conf = self._c.rd_kafka_conf_new()
        self._c.rd_kafka_conf_set(conf, b"log_level", b"0", error, len(error))
        self._handle = self._c.rd_kafka_new(PRODUCER, conf, error, len(error))
        assert self._handle, error.value
        self._cluster = self._c.rd_kafka_mock_cluster_new(self._handle, brokers)
        assert self._cluster, "librdkafka could not make its mock cluster"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bootstrap(self) -> str:
        return str(self._c.rd_kafka_mock_cluster_bootstraps(self._cluster), "ascii")

    def create_topic(self, name: str, partitions: int = 1, replication: int = 1) -> str:
        self._check(
            self._c.rd_kafka_mock_topic_create(
                self._cluster, name.encode(), partitions, replication
            )
        )
        return name

    def inject(self, api: int, *errors: int) -> None:
        """Answer the next requests of this kind, on any broker, with these codes, one each."""
        codes = (c_int * len(errors))(*errors)
        self._c.rd_kafka_mock_push_request_errors_array(self._cluster, api, len(errors), codes)

    def inject_at(self, broker: int, api: int, *errors: int, rtt_ms: int = 0) -> None:
        """The same on one broker, each answer late by `rtt_ms`; code 0 is late only."""
        pairs = [c_int(number) for error in errors for number in (error, rtt_ms)]
        self._check(
            self._c.rd_kafka_mock_broker_push_request_error_rtts(
                self._cluster, broker, api, len(errors), *pairs
            )
        )

    def forget_errors(self, api: int) -> None:
        """Take back what `inject` has left."""
        self._c.rd_kafka_mock_clear_request_errors(self._cluster, api)

    def errors_left(self, broker: int, api: int) -> int:
        """Count what `inject_at` has left."""
        count = c_size_t()
        self._check(
            self._c.rd_kafka_mock_broker_error_stack_cnt(self._cluster, broker, api, byref(count))
        )
        return count.value

    def set_topic_error(self, topic: str, error: int) -> None:
        """Tell this code of the topic in metadata, 0 for none."""
        self._c.rd_kafka_mock_topic_set_error(self._cluster, topic.encode(), error)

    def set_leader(self, topic: str, partition: int, broker: int) -> None:
        """Move a partition; broker -1 leaves it without a leader."""
        self._check(
            self._c.rd_kafka_mock_partition_set_leader(
                self._cluster, topic.encode(), partition, broker
            )
        )

    def set_down(self, broker: int = ALL_BROKERS) -> None:
        """Close a broker's connections and refuse new ones; it remains the leader it was."""
        self._check(self._c.rd_kafka_mock_broker_set_down(self._cluster, broker))

    def set_up(self, broker: int = ALL_BROKERS) -> None:
        self._check(self._c.rd_kafka_mock_broker_set_up(self._cluster, broker))

    def set_rtt(self, milliseconds: int, broker: int = ALL_BROKERS) -> None:
        """Make every answer late."""
        self._check(self._c.rd_kafka_mock_broker_set_rtt(self._cluster, broker, milliseconds))

    def set_versions(self, api: int, lowest: int, highest: int) -> None:
        """Offer only these versions of a request; -1, -1 for none."""
        self._check(self._c.rd_kafka_mock_set_apiversion(self._cluster, api, lowest, highest))

    def track_requests(self) -> None:
        """Remember requests from now on, and forget those of before."""
        self._c.rd_kafka_mock_clear_requests(self._cluster)
        self._c.rd_kafka_mock_start_request_tracking(self._cluster)

    def requests(self, api: int | None = None) -> list[Request]:
        """Return the tracked requests, of one kind or of all, as they came."""
        count = c_size_t()
        array = self._c.rd_kafka_mock_get_requests(self._cluster, byref(count))
        found = [
            Request(
                self._c.rd_kafka_mock_request_id(array[i]),
                self._c.rd_kafka_mock_request_api_key(array[i]),
                self._c.rd_kafka_mock_request_timestamp(array[i]),
            )
            for i in range(count.value)
        ]
        self._c.rd_kafka_mock_request_destroy_array(array, count)
        return [request for request in found if api is None or request.api == api]

    def close(self) -> None:
        """End the brokers; may be called again."""
        if self._cluster:
            self._c.rd_kafka_mock_cluster_destroy(self._cluster)
            self._c.rd_kafka_destroy(self._handle)
            self._cluster = None

    def _check(self, error: int) -> None:
        if error:
            name = self._c.rd_kafka_err2name(error).decode()
            raise ValueError(f"librdkafka's mock cluster refuses: {name}")


# Of each function: what it returns, and the arguments it always takes.
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "rd_kafka_conf_new": (c_void_p,),
    "rd_kafka_conf_set": (c_int, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t),
    "rd_kafka_new": (c_void_p, c_int, c_void_p, c_char_p, c_size_t),
    "rd_kafka_destroy": (None, c_void_p),
    "rd_kafka_err2name": (c_char_p, c_int),
    "rd_kafka_mock_cluster_new": (c_void_p, c_void_p, c_int),
    "rd_kafka_mock_cluster_destroy": (None, c_void_p),
    "rd_kafka_mock_cluster_bootstraps": (c_char_p, c_void_p),
    "rd_kafka_mock_topic_create": (c_int, c_void_p, c_char_p, c_int, c_int),
    "rd_kafka_mock_topic_set_error": (None, c_void_p, c_char_p, c_int),
    "rd_kafka_mock_partition_set_leader": (c_int, c_void_p, c_char_p, c_int32, c_int32),
    "rd_kafka_mock_push_request_errors_array": (
        None,
        *(c_void_p, c_int16, c_size_t, POINTER(c_int)),
    ),
    "rd_kafka_mock_broker_push_request_error_rtts": (
        c_int,
        *(c_void_p, c_int32, c_int16, c_size_t),
    ),
    "rd_kafka_mock_clear_request_errors": (None, c_void_p, c_int16),
    "rd_kafka_mock_broker_error_stack_cnt": (
        c_int,
        *(c_void_p, c_int32, c_int16, POINTER(c_size_t)),
    ),
    "rd_kafka_mock_broker_set_down": (c_int, c_void_p, c_int32),
    "rd_kafka_mock_broker_set_up": (c_int, c_void_p, c_int32),
    "rd_kafka_mock_broker_set_rtt": (c_int, c_void_p, c_int32, c_int),
    "rd_kafka_mock_set_apiversion": (c_int, c_void_p, c_int16, c_int16, c_int16),
    "rd_kafka_mock_start_request_tracking": (None, c_void_p),
    "rd_kafka_mock_clear_requests": (None, c_void_p),
    "rd_kafka_mock_get_requests": (POINTER(c_void_p), c_void_p, POINTER(c_size_t)),
    "rd_kafka_mock_request_id": (c_int32, c_void_p),
    "rd_kafka_mock_request_api_key": (c_int16, c_void_p),
    "rd_kafka_mock_request_timestamp": (c_int64, c_void_p),
    "rd_kafka_mock_request_destroy_array": (None, POINTER(c_void_p), c_size_t),
}


@functools.cache
def _library() -> Any:
    """Load the wheel's own librdkafka, which is mapped already, and declare what we call."""
    package = Path(confluent_kafka.__file__).parent
    places = [package.with_name("confluent_kafka.libs"), package / ".dylibs"]
    found = [path for place in places for path in place.glob("librdkafka*")]
    assert found, f"the confluent-kafka wheel brings no librdkafka in {places}"
    library = ctypes.CDLL(str(found[0]))
    for name, (result, *arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
