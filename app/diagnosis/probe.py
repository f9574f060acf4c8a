"""One broker's address, tried step by step, so that the first step that fails tells what is wrong.

The steps are those of any connection: the name, TCP, and then TLS, SASL and Kafka's own greeting.
"""

import asyncio
import errno
import socket
import ssl
from dataclasses import dataclass, replace
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import BrokerResponseError, KafkaError, UnsupportedSaslMechanismError

from app.sinks.kafka.broker import FOREIGN, Access
from app.sinks.kafka.metadata import Address

PATIENCE = 3.0
"""Seconds for one address, and for one answer."""

_AUTHENTICATION = (33, 34, 54, 58)
"""Kafka's error codes for a mechanism, a state, or credentials that it does not take."""
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a broker cannot be used: what was seen, and what to do about it.

    `text` continues a sentence that begins with the address.
    """

    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Probe:
    """How an address answered: a connection to close, or what the trouble is."""

    address: Address
    seconds: float
    connection: AIOKafkaConnection | None = None
    trouble: Trouble | None = None

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close(reason=CloseReason.SHUTDOWN)


async def probe(address: Address, access: Access, patience: float = PATIENCE) -> Probe:
    """Try an address; all steps together take at most `patience` seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    deadline = began + patience
    try:
        async with asyncio.timeout_at(deadline):
            trouble = await _name_trouble(address)
    except TimeoutError:
        trouble = Trouble(
            f"the name {address.host} was not resolved within {patience:g} s",
            "Look at the DNS servers of this machine (/etc/resolv.conf).",
        )
    if trouble is None:
        try:
            async with asyncio.timeout_at(deadline):
                trouble = await _tcp_trouble(address)
        except TimeoutError:
            trouble = Trouble(
                f"nothing answered within {patience:g} s",
                "Most often a firewall or a security group drops the packets: allow TCP from this "
                f"machine to port {address.port}. Else look whether the broker's machine is up.",
            )
    if trouble is not None:
        return Probe(address, loop.time() - began, trouble=trouble)
    brief = replace(access, connect_timeout=deadline - loop.time(), request_timeout=patience)
    began = loop.time()
    try:
        connection = await brief.connect(address)
    except FOREIGN as error:
        trouble = _kafka_trouble(error, access, patience)
        return Probe(address, loop.time() - began, trouble=trouble)
    return Probe(address, loop.time() - began, connection)


async def asked(connection: AIOKafkaConnection, request: Any, patience: float = PATIENCE) -> Any:
    """Return the response to a request, None if there is none in time."""
    try:
        async with asyncio.timeout(patience):
            return await connection.send(request)
    except FOREIGN:
        return None


async def _name_trouble(address: Address) -> Trouble | None:
    loop = asyncio.get_running_loop()
    try:
        await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        return Trouble(
            f"the name {address.host} does not resolve here ({why})",
            "Correct the name, or make it known to the DNS or the hosts file of this machine.",
        )
    return None


async def _tcp_trouble(address: Address) -> Trouble | None:
    try:
        _, writer = await asyncio.open_connection(address.host, address.port)
    except TimeoutError:
        raise
    except OSError as error:
        return _of_tcp_error(error, address)
    writer.close()
    return None


def _of_tcp_error(error: OSError, address: Address) -> Trouble:
    # Where a name has several addresses, asyncio says what was wrong with each in one text.
    if error.errno == errno.ECONNREFUSED or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return Trouble(
            "the connection was refused",
            f"Nothing listens on port {address.port} there: start the broker, or correct the port.",
        )
    if error.errno in _NO_ROUTE:
        return Trouble(
            f"there is no way to it from this machine ({error.strerror})",
            "Look at the routes and networks of this machine, or of its container.",
        )
    return Trouble(
        f"no connection ({error.strerror or error})", "Look at the network of this machine."
    )


def _kafka_trouble(error: BaseException, access: Access, patience: float) -> Trouble:
    # With TLS 1.3 a broker may refuse our certificate after the connection was made.
    tls_error = error if isinstance(error, ssl.SSLError) else error.__cause__
    if isinstance(tls_error, ssl.SSLError):
        return _tls_trouble(tls_error)
    tls = access.security_protocol.endswith("SSL")
    if isinstance(error, UnsupportedSaslMechanismError):
        return Trouble(
            f"the broker does not take SASL {access.sasl_mechanism} on this port",
            "Set sink.sasl.mechanism to one that it does take (sasl.enabled.mechanisms).",
        )
    if isinstance(error, BrokerResponseError) and error.errno in _AUTHENTICATION:
        return Trouble(
            f"the broker does not let us in as {access.username} ({error.args[0]})"
            if error.args
            else f"the broker does not let us in as {access.username}",
            "Correct sink.sasl.username, password and mechanism, or create that user on the "
            "cluster.",
        )
    if isinstance(error, TimeoutError):
        return Trouble(
            f"it was connected, but did not answer as a broker within {patience:g} s",
            "Something listens there that is overloaded or no Kafka broker"
            + ("." if tls else ", or a port that expects TLS: see sink.security_protocol."),
        )
    if isinstance(error, OSError | KafkaError):
        return Trouble(
            "it closed the connection instead of answering as a broker",
            "Either that is no Kafka broker, or the port expects something else than "
            f"{access.security_protocol}: set sink.security_protocol as the broker's listener has "
            "it.",
        )
    return Trouble(
        f"its answer is not that of a broker that we know ({type(error).__name__}: {error})",
        "Look whether that is a port of a Kafka broker, and not older than Kafka 0.11.",
    )


def _tls_trouble(error: ssl.SSLError) -> Trouble:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Trouble(
            f"its certificate is not accepted ({error.verify_message})",
            "Set sink.tls.ca_file to the certificate that signed it; it must be valid today and "
            "name the host that is connected to.",
        )
    if error.reason and "CERTIFICATE" in error.reason:
        return Trouble(
            f"the broker does not accept our certificate ({error.reason})",
            "Set sink.tls.certificate_file and key_file to a certificate that the broker trusts.",
        )
    return Trouble(
        f"no TLS connection ({error.reason or error})",
        "Most often the port speaks no TLS: see sink.security_protocol and the broker's listeners.",
    )
