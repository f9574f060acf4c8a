"""Free ports on loopback for servers that must come back on the port they had."""

import random
import socket

# Below the range the system gives to outgoing connections (32768 up on Linux, 49152 elsewhere).
# A stopped broker keeps its port only if no client's connection can be given it meanwhile, and
# a client that dials a free port of that range again and again will one day connect to itself.
PORTS = range(15_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Choose ports nobody listens on now; another process may still be faster than the caller."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if len(found) == count:
            return found
        if _is_free(port):
            found.append(port)
    raise RuntimeError(f"there are no {count} free ports from {PORTS.start} to {PORTS.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
