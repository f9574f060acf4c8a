"""What a connection may take: bytes of a head, seconds, and descriptors of the process."""

import resource
from typing import NamedTuple

MAX_URL = 64 * 1024
MAX_HEAD = 128 * 1024

ENOUGH_DESCRIPTORS = 65_536
KEPT_DESCRIPTORS = 256
"""Descriptors that connections leave to files, brokers and repositories."""


class Limits(NamedTuple):
    """Seconds for a whole head, between requests, and for a client to take in an answer.

    An answer has `write_timeout` seconds, and one more for each `min_rate` bytes of it; 0 means
    that only its having stood still for so long counts. Beyond `max_connections` those that are
    idle for the longest are closed.
    """

    header_timeout: float = 20.0
    idle_timeout: float = 75.0
    write_timeout: float = 30.0
    min_rate: float = 500.0
    max_connections: int = ENOUGH_DESCRIPTORS - KEPT_DESCRIPTORS


def raise_descriptor_limit() -> int:
    """Let this process have as many descriptors as it may; return how many can be connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    most = ENOUGH_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return max(most - KEPT_DESCRIPTORS, most // 2)
