"""Strangers' texts in our log: whatever they send, and where, a line stays one line of JSON."""

import json
import re
import socket
from urllib.parse import quote

import orjson
import pytest

from app.logs.lines import MAX_LINE
from tests.support import served, until

pytestmark = pytest.mark.slow

SECRET = "marker-of-a-secret"
EVILS = {
    "a line of its own": '\n{"level":"error","message":"forged"}\n',
    "a carriage return": "\r2026-01-01 error forged",
    "a line separator": "\u2028forged\u2029\x85\x0b\x0c",
    "a colour": "\x1b[2J\x1b[31mforged\x1b]0;title\x07",
    "format strings": "%s%d%n{0}{self}%(levelname)s${jndi:ldap://127.0.0.1/a}",
    "a backspace": "\x08" * 50 + "\x7f\x00",
    "the other way round": "\u202eforged\ufeff\ud7ff",
    "very much": "A" * 30_000,
}
LEVELS = ["info", "debug"]

MAPPING = "schemas: {}\n"


def event(**fields):
    return {
        "$schema": "/demo/button/click/1.0.0",
        "meta": {"stream": "demo.button.click"},
        "button": "save",
    } | fields


def bodies(evil):
    """Events with the text in each place that a client writes to."""
    text = evil + SECRET
    yield event(button=text)
    yield event(**{text: 1})
    yield event(**{"$schema": text})
    yield event(**{"$schema": f"/{text}/1.0.0"})
    yield event(**{"$schema": f"http://127.0.0.1:9/{quote(text)}/1.0.0"})
    yield event(meta={"stream": text})
    yield event(meta={"stream": "demo.button.click", "id": text, "dt": text, "request_id": text})
    yield event(meta={"stream": "demo.button.click", text: text})
    yield event(meta={"stream": "sluiceway.error"}, note=text)
    yield {"schema": text, "revision": 1, "wiki": text, "event": {text: text}}
    yield {"meta": {"schema_uri": text, "topic": text, "id": text}, text: text}
    yield text


def exchanged(service, head, body=b""):
    """Send a request byte by byte as it is, and return what came back."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=0.3) as connection:
        connection.sendall(head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body))
        answer = b""
        try:
            connection.sendall(body)
            while part := connection.recv(65536):
                answer += part
        except OSError:
            pass  # it was closed
    return answer


def heads(evil):
    """Requests with the text in each place of their heads, raw and percent-encoded."""
    text = evil + SECRET
    raw = text.encode()[:20_000]
    encoded = quote(text).encode()[:20_000]
    for method in (b"GET", b"POST"):
        for path in (b"/v1/events", b"/beacon/event", b"/v1/schemas", b"/metrics", b"/"):
            yield method + b" " + path + b"/" + encoded + b" HTTP/1.1\r\nhost: x\r\n"
            yield method + b" " + path + b"?" + encoded + b";" + b" HTTP/1.1\r\nhost: x\r\n"
            yield method + b" " + path + b"?hasty=" + encoded + b" HTTP/1.1\r\nhost: x\r\n"
            yield method + b" " + path + b"?" + raw + b" HTTP/1.1\r\nhost: x\r\n"
    yield raw + b" /v1/events HTTP/1.1\r\nhost: x\r\n"
    yield b"POST /v1/events HTTP/" + raw + b"\r\nhost: x\r\n"
    for name in (
        b"host",
        b"user-agent",
        b"x-request-id",
        b"x-client-ip",
        b"x-forwarded-for",
        b"forwarded",
        b"referer",
        b"cookie",
        b"authorization",
        b"x-api-key",
        b"content-type",
        b"content-encoding",
        b"origin",
        b"accept",
        b"transfer-encoding",
        b"upgrade",
    ):
        yield b"POST /v1/events HTTP/1.1\r\nhost: x\r\n" + name + b": " + raw + b"\r\n"
        flat = re.sub(rb"[\r\n\x00]", b"", raw)
        yield b"GET /v1/schemas/x HTTP/1.1\r\nhost: x\r\n" + name + b": " + flat + b"\r\n"
    yield b"POST /v1/events HTTP/1.1\r\nhost: x\r\n" + raw + b": x\r\n"


@pytest.fixture(scope="module", params=LEVELS)
def service(tmp_path_factory, request):
    """A service that logs JSON; at the end, every line that it wrote is looked at."""
    folder = tmp_path_factory.mktemp("injection")
    with served(
        folder,
        SLUICEWAY_LOG__FORMAT="json",
        SLUICEWAY_LOG__LEVEL=request.param,
        SLUICEWAY_LOG__ACCESS__ENABLED="true",
        SLUICEWAY_LOG__ACCESS__CLIENT_IP="keep",
        SLUICEWAY_HTTP__TRUSTED_PROXIES='["127.0.0.1"]',
    ) as service:
        yield service
        assert service.stop() == 0
    print(f"\n{len(lines(folder))} lines at level {request.param}")


def lines(folder):
    return (folder / "stderr.txt").read_bytes().split(b"\n")[:-1]


def check(service, since):
    """Every line is one JSON object in ASCII, within the bound, that tells nothing it must not."""
    last = b"x-request-id: the-last-of-%d" % since
    assert b" 200 " in exchanged(service, b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + last + b"\r\n")
    until(lambda: last.split()[1] in lines(service.folder)[-1])
    written = lines(service.folder)[since:]
    assert len(written) > 10
    for line in written:
        assert len(line) < MAX_LINE
        assert line.isascii()
        assert line.decode().isprintable()
        value = orjson.loads(line)
        assert set(value) <= {
            *("ts", "level", "logger", "pid", "message", "request_id", "extra", "exception")
        }
        assert value["message"] != "forged"
        assert SECRET.encode() not in line, line
        assert b"save" not in line


@pytest.mark.parametrize("evil", EVILS.values(), ids=EVILS)
def test_nothing_in_a_body_becomes_a_line_or_is_told(service, evil):
    before = len(lines(service.folder))
    for body in bodies(evil):
        for path in ("/v1/events", "/beacon/event"):
            status, _ = service.post(body, path)
            assert status < 500 or status == 503
        service.get(f"/beacon/event?{quote(json.dumps(body))};"[:60_000])
    service.post(b'{"' + evil.encode() + SECRET.encode(), "/v1/events")

    check(service, before)


@pytest.mark.parametrize("evil", EVILS.values(), ids=EVILS)
def test_nothing_in_a_head_becomes_a_line_or_a_header_or_is_told(service, evil):
    before = len(lines(service.folder))

    for head in heads(evil):
        answer = exchanged(service, head, json.dumps(event(button=7)).encode())

        for answered in re.split(rb"(?=HTTP/1\.1 \d{3} )", answer)[1:]:
            named, _, _ = answered.partition(b"\r\n\r\n")
            assert SECRET.encode() not in named
            assert b"forged" not in named
            assert named.isascii()

    check(service, before)
