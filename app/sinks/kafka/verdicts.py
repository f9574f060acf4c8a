"""What a broker's error codes mean for the records of a batch, and what to do about each."""

from enum import Enum, auto


class Verdict(Enum):
    """What became of a batch that a broker has answered for."""

    STORED = auto()
    RETRY = auto()
    """Not stored; the same broker may take it in a moment."""
    REFRESH = auto()
    """Not stored; ask who leads the partition now, and send it there."""
    UNCLEAR = auto()
    """It may be stored or not; only sending it again will tell."""
    TOO_LARGE = auto()
    """Not stored; a smaller batch may be, or else a record is too large by itself."""
    REFUSED = auto()
    """Not stored; one or more of its records are not acceptable."""
    TOPIC = auto()
    """Not stored, and nothing will be in this topic until an operator mends it."""
    IDENTITY = auto()
    """Not stored; the broker does not accept the producer id or sequence number any more."""


_CODES = {
    0: ("NONE", Verdict.STORED),
    # The broker has this very batch already; it no longer knows at which offset.
    46: ("DUPLICATE_SEQUENCE_NUMBER", Verdict.STORED),
    3: ("UNKNOWN_TOPIC_OR_PARTITION", Verdict.REFRESH),
    5: ("LEADER_NOT_AVAILABLE", Verdict.REFRESH),
    6: ("NOT_LEADER_OR_FOLLOWER", Verdict.REFRESH),
    8: ("BROKER_NOT_AVAILABLE", Verdict.REFRESH),
    9: ("REPLICA_NOT_AVAILABLE", Verdict.REFRESH),
    56: ("KAFKA_STORAGE_ERROR", Verdict.REFRESH),
    74: ("FENCED_LEADER_EPOCH", Verdict.REFRESH),
    75: ("UNKNOWN_LEADER_EPOCH", Verdict.REFRESH),
    100: ("UNKNOWN_TOPIC_ID", Verdict.REFRESH),
    2: ("CORRUPT_MESSAGE", Verdict.RETRY),  # a checksum that broke on the way
    19: ("NOT_ENOUGH_REPLICAS", Verdict.RETRY),
    89: ("THROTTLING_QUOTA_EXCEEDED", Verdict.RETRY),
    -1: ("UNKNOWN_SERVER_ERROR", Verdict.UNCLEAR),
    7: ("REQUEST_TIMED_OUT", Verdict.UNCLEAR),
    20: ("NOT_ENOUGH_REPLICAS_AFTER_APPEND", Verdict.UNCLEAR),
    10: ("MESSAGE_TOO_LARGE", Verdict.TOO_LARGE),
    18: ("RECORD_LIST_TOO_LARGE", Verdict.TOO_LARGE),
    32: ("INVALID_TIMESTAMP", Verdict.REFUSED),
    43: ("UNSUPPORTED_FOR_MESSAGE_FORMAT", Verdict.REFUSED),
    44: ("POLICY_VIOLATION", Verdict.REFUSED),
    87: ("INVALID_RECORD", Verdict.REFUSED),
    17: ("INVALID_TOPIC_EXCEPTION", Verdict.TOPIC),
    29: ("TOPIC_AUTHORIZATION_FAILED", Verdict.TOPIC),
    31: ("CLUSTER_AUTHORIZATION_FAILED", Verdict.TOPIC),
    76: ("UNSUPPORTED_COMPRESSION_TYPE", Verdict.TOPIC),
    45: ("OUT_OF_ORDER_SEQUENCE_NUMBER", Verdict.IDENTITY),
    47: ("INVALID_PRODUCER_EPOCH", Verdict.IDENTITY),
    49: ("INVALID_PRODUCER_ID_MAPPING", Verdict.IDENTITY),
    59: ("UNKNOWN_PRODUCER_ID", Verdict.IDENTITY),
    90: ("PRODUCER_FENCED", Verdict.IDENTITY),
}


def verdict_of(code: int) -> Verdict:
    """Return what an error code of a produce response means; UNCLEAR for one that is not known."""
    return _CODES[code][1] if code in _CODES else Verdict.UNCLEAR


def name_of(code: int) -> str:
    """Return Kafka's own name of an error code, for logs and people."""
    return _CODES[code][0] if code in _CODES else f"error {code}"
