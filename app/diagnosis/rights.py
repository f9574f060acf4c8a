"""Which topics this client may write; a question of Kafka 2.3 that aiokafka does not know."""

from collections.abc import Sequence

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from app.diagnosis.findings import Finding, listed, problem
from app.diagnosis.probe import PATIENCE, asked
from app.diagnosis.topics import Advice, grants

_WRITE = 1 << 4  # Kafka's number of the operation, as a bit
_NOT_TOLD = -(2**31)


class MetadataResponseV8(Response):  # type: ignore[misc] # aiokafka does not say its types
    """Metadata, with what the client may do."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("topic_authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class MetadataRequestV8(RequestStruct):  # type: ignore[misc] # the same
    """Asks for metadata, and for what the client may do."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = MetadataResponseV8
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class RightsRequest(Request[MetadataRequestV8]):  # type: ignore[misc] # the same
    """Asks what may be done with topics, and lets no broker create them."""

    API_KEY = 3
    _CLASSES = (MetadataRequestV8,)

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[MetadataRequestV8]) -> MetadataRequestV8:
        return request_struct_class(self._topics, False, False, True)


async def not_to_write(
    connection: AIOKafkaConnection, topics: Sequence[str], patience: float = PATIENCE
) -> list[str]:
    """Return those of the topics that this client may see and not write, as far as is told."""
    answer = await asked(connection, RightsRequest(topics), patience)
    rows = answer.topics if answer is not None else []
    return [row[1] for row in rows if row[0] == 0 and row[4] != _NOT_TOLD and not row[4] & _WRITE]


def judge_rights(forbidden: Sequence[str], advice: Advice) -> list[Finding]:
    """Return what to do about topics that may not be written."""
    if not forbidden:
        return []
    return [
        problem(
            "topics",
            f"This client may not write {listed(forbidden)}: their events are answered 503.",
            f"Give it the right to:{grants(forbidden, advice)}",
        )
    ]
