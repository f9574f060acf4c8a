import asyncio
import socket
import ssl

from aiokafka.protocol.metadata import MetadataRequest

from app.diagnosis.probe import Probe, asked, probe
from app.sinks.kafka.broker import Access
from app.sinks.kafka.metadata import Address
from tests.app.diagnosis.fakebroker import FakeBroker, listening, serving

ACCESS = Access("test")


async def tried(address: Address, access: Access = ACCESS, patience: float = 0.4) -> Probe:
    result = await probe(address, access, patience)
    result.close()
    return result


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def test_a_broker_that_answers_gives_a_connection():
    async with listening(FakeBroker()) as broker:
        result = await tried(broker.address)

    assert result.connection is not None
    assert result.trouble is None


async def test_a_name_that_does_not_resolve_is_said_to_be_the_trouble():
    result = await tried(Address("nothing.invalid", 9092), patience=5)

    assert result.connection is None
    assert "nothing.invalid does not resolve" in result.trouble.text


async def test_a_refused_port_is_told_from_one_that_does_not_answer():
    port = unused_port()

    result = await tried(Address("127.0.0.1", port))

    assert result.trouble.text == "the connection was refused"
    assert str(port) in result.trouble.advice


async def test_a_refused_port_is_known_also_where_the_name_has_several_addresses():
    result = await tried(Address("localhost", unused_port()), patience=5)

    assert result.trouble.text == "the connection was refused"


async def test_something_that_accepts_and_says_nothing_ends_the_probe_in_time():
    async def silent(reader, writer):
        await reader.read()

    began = asyncio.get_running_loop().time()
    async with serving(silent) as address:
        result = await tried(address, patience=0.4)

    assert "did not answer as a broker within 0.4 s" in result.trouble.text
    assert "sink.security_protocol" in result.trouble.advice
    assert asyncio.get_running_loop().time() - began < 3


async def test_something_that_hangs_up_may_expect_another_protocol():
    async def hanging_up(reader, writer):
        await reader.read(1)

    async with serving(hanging_up) as address:
        result = await tried(address)

    assert "closed the connection" in result.trouble.text
    assert "PLAINTEXT" in result.trouble.advice


async def test_another_kind_of_server_is_no_broker():
    async def web(reader, writer):
        await reader.read(1)
        writer.write(b"\x00\x00\x00\x04oops")
        await reader.read()

    async with serving(web) as address:
        result = await tried(address)

    assert result.connection is None
    assert result.trouble is not None


async def test_tls_to_a_port_without_tls_is_said_to_be_so():
    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    access = Access("test", "SSL", ssl.create_default_context())
    async with serving(plain) as address:
        result = await tried(address, access)

    assert "no TLS connection" in result.trouble.text


async def test_a_question_without_an_answer_is_none():
    async with listening(FakeBroker(silent_on={3})) as broker:
        result = await probe(broker.address, ACCESS, 1.0)
        answer = await asked(result.connection, MetadataRequest([]), 1.0)
        result.close()

    assert answer is None
