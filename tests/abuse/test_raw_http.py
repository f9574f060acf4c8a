"""What arrives below HTTP libraries: heads without end, confused lengths, clients that leave."""

import json
import re
import socket
import time
from pathlib import Path

import pytest

from app.protocol import MAX_HEAD, MAX_URL
from tests.support import served

pytestmark = pytest.mark.slow

BODY = json.dumps(
    {
        "$schema": "/demo/button/click/1.0.0",
        "meta": {"stream": "demo.button.click"},
        "button": "save",
    }
).encode()
HEAD = b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
LENGTH = b"content-length: %d\r\n\r\n" % len(BODY)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("raw")) as service:
        yield service
        assert service.post(json.loads(BODY))[0] == 201
        service.assert_nothing_was_wrong()


def asked(service, data, *, more=b""):
    """Send bytes and return all statuses that come back until the server closes or is silent."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=2) as connection:
        answer = b""
        try:
            connection.sendall(data)
            while more and len(answer) == 0 and len(data) < 50_000_000:
                connection.sendall(more)
                data += more
                connection.settimeout(0.001)
                try:
                    answer += connection.recv(65536)
                except TimeoutError:
                    continue
            connection.settimeout(1)
            while part := connection.recv(65536):
                answer += part
        except OSError:
            pass  # it was closed, or had nothing more to say
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (HEAD + LENGTH + BODY, [201]),
        ((HEAD + LENGTH + BODY) * 3, [201, 201, 201]),
        # Who sent the body already waits for nothing (RFC 9110, 10.1.1).
        (HEAD + b"expect: 100-continue\r\n" + LENGTH + BODY, [201]),
        (
            HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
            [201],
        ),
        (HEAD + b"transfer-encoding: chunked\r\n" + LENGTH + BODY, [400]),
        (HEAD + b"content-length: 3\r\n" + LENGTH + BODY, [400]),
        (HEAD + b"content-length: -5\r\n\r\n" + BODY, [400]),
        (HEAD + b"content-length: abc\r\n\r\n" + BODY, [400]),
        (HEAD + b"content-length: 99999999999999999999\r\n\r\n" + BODY, [400]),
        (HEAD + b"content-length: 999999999999\r\n\r\n" + BODY, [413]),
        (HEAD + b"expect: 100-continue\r\ncontent-length: 99999999\r\n\r\n", [413]),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nZZ\r\nabc", [400]),
        (HEAD + b"x: a\r\n b\r\n" + LENGTH + BODY, [400]),
        ((HEAD + LENGTH).replace(b"\r\n", b"\n") + BODY, [400]),
        (b"nonsense\r\n\r\n", [400]),
        (b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
        (b"GET /beacon/event?\xff HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
    ],
)
def test_each_oddity_has_its_answer(service, data, statuses):
    assert asked(service, data) == statuses


def test_a_client_that_waits_to_send_its_body_is_told_to_go_on(service):
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(HEAD + b"expect: 100-continue\r\n" + LENGTH)

        go_on = connection.recv(65536)
        connection.sendall(BODY)
        answer = connection.recv(65536)

    assert go_on == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 201 ")


def test_a_url_without_end_is_414(service):
    assert asked(service, b"GET /beacon/event?" + b"a" * (MAX_URL + 100)) in ([414], [400])
    url = b"GET /beacon/event?" + b"a" * (MAX_URL - 2000) + b" HTTP/1.1\r\nhost: x\r\n"
    assert asked(service, url + b"connection: close\r\n\r\n") == [204]


def test_headers_without_end_are_431_and_cost_no_memory(service):
    before = resident(service)

    many = asked(service, HEAD, more=b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 500)
    long = asked(service, HEAD + b"x: ", more=b"y" * 50_000)
    at_once = asked(service, HEAD + b"x: %s\r\n" % (b"y" * MAX_HEAD) + LENGTH + BODY)

    assert many == [431]
    assert long == [431]
    assert at_once == [431]
    assert resident(service) - before < 20_000_000


def test_a_body_without_end_is_413(service):
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"

    assert asked(service, HEAD + b"transfer-encoding: chunked\r\n\r\n", more=chunk) == [413]


@pytest.mark.parametrize(
    "data",
    [
        HEAD + LENGTH + BODY[:10],
        HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nabc",
        HEAD[:20],
    ],
)
def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(service, data):
    stored = len(service.log("--limit", "100000"))
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=2) as connection:
        connection.sendall(data)

    assert service.get("/healthz")[0] == 200
    assert len(service.log("--limit", "100000")) == stored


def test_a_body_that_never_comes_is_408(tmp_path):
    with served(tmp_path, SLUICEWAY_HTTP__BODY_TIMEOUT="0.3") as service:
        started = time.monotonic()

        assert asked(service, HEAD + LENGTH + BODY[:-1]) == [408]
        assert time.monotonic() - started < 3


def resident(service):
    fields = Path(f"/proc/{service.process.pid}/statm").read_text().split()
    return int(fields[1]) * 4096


def test_a_client_that_writes_first_and_reads_afterwards_sees_why_it_was_refused(service):
    body = b" " * (10 * 1024 * 1024 + 1)

    for _ in range(3):
        assert asked(service, HEAD + b"content-length: %d\r\n\r\n" % len(body) + body) == [413]


def test_a_body_that_nobody_reads_ends_with_its_answer(service):
    head = b"POST /beacon/event?%7B HTTP/1.1\r\nhost: x\r\n" + CHUNKED
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"

    assert asked(service, head, more=chunk) == [204]
