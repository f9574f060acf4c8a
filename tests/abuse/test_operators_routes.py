"""Routes for tests and operators: with an internal listener, nobody gets there from outside."""

import json
import re
import socket
from pathlib import Path

import httpx
import pytest

from tests.support import served

pytestmark = pytest.mark.slow

INTERNAL = ["/metrics", "/v1/_test/events"]
EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}


class Listeners:
    """A service with two listeners, and a client for each."""

    def __init__(self, service, port):
        self.service = service
        self.port = port
        self.outside = httpx.Client(base_url=service.url, timeout=20)
        self.inside = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def listeners(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("operators")
    port = free_port()
    with served(
        folder,
        *("--workers", request.param),
        SLUICEWAY_HTTP__INTERNAL_PORT=str(port),
        SLUICEWAY_HTTP__TRUSTED_PROXIES='["127.0.0.1"]',
    ) as service:
        listeners = Listeners(service, port)
        with listeners.outside, listeners.inside:
            yield listeners
        assert "Traceback" not in (folder / "stderr.txt").read_text()


def test_operators_have_them_on_their_own_listener(listeners):
    metrics = listeners.inside.get("/metrics")
    tested = listeners.inside.get("/v1/_test/events")
    ready = listeners.inside.get("/readyz")

    assert metrics.status_code == 200
    assert "sluiceway_streams_configured" in metrics.text
    assert tested.status_code == 201
    assert ready.status_code == 200


SPELLINGS = [
    *("{}", "{}/", "{}?x=1", "{}#x", "{};x=1", "/{}", "//{}", "/.{}", "/x/..{}", "/v1/events/..{}"),
    *("/v1/schemas/..{}", "/docs{}", "/_info{}", "{}%00", "{}%20", "{}.json", "{}/x", "/%2e{}"),
]


@pytest.mark.parametrize("path", INTERNAL)
def test_from_outside_they_are_404_however_they_are_spelled(listeners, path):
    spelled = {spelling.format(path) for spelling in SPELLINGS}
    spelled |= {path.upper(), path.title(), path.replace("/", "//"), path.replace("/", "/./")}
    spelled |= {"/" + "".join(f"%{ord(each):02x}" for each in path[1:]), path.replace("e", "%65")}
    spelled |= {path.replace("/", "\\"), path.replace("/", "%2f"), path.replace("e", "\u0435")}

    for spelling in spelled:
        answer = listeners.outside.get(spelling)

        assert answer.status_code == 404, spelling
        assert "sluiceway_" not in answer.text


@pytest.mark.parametrize("path", INTERNAL)
@pytest.mark.parametrize(
    "name",
    [
        *("host", "x-forwarded-host", "x-forwarded-port", "x-forwarded-server", "x-original-url"),
        *("x-rewrite-url", "x-original-host", "forwarded", "x-forwarded-for", "x-client-ip", "via"),
        *("x-real-ip", "x-forwarded-proto", "x-envoy-internal", "x-internal", "referer", "origin"),
    ],
)
def test_no_header_makes_an_insider_of_who_is_outside(listeners, path, name):
    here = f"127.0.0.1:{listeners.port}"
    for value in (here, str(listeners.port), f"http://{here}{path}", f"host={here}", "127.0.0.1"):
        assert listeners.outside.get(path, headers={name: value}).status_code == 404


@pytest.mark.parametrize("path", INTERNAL)
def test_neither_does_an_address_in_the_request_line(listeners, path):
    host, port = listeners.service.url.removeprefix("http://").split(":")
    for target in (f"http://127.0.0.1:{listeners.port}{path}", f"http://localhost{path}"):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(
                f"GET {target} HTTP/1.1\r\nhost: 127.0.0.1:{listeners.port}\r\n\r\n".encode()
            )
            status = re.match(rb"HTTP/1\.1 (\d{3})", connection.recv(65_536))

        assert status is not None
        assert status[1] == b"404"


def test_from_outside_readiness_says_no_more_than_whether(listeners):
    assert listeners.outside.get("/readyz").text == "ok\n"
    assert listeners.outside.get("/healthz").text == "ok\n"


def test_everything_else_is_had_on_both(listeners):
    for client in (listeners.outside, listeners.inside):
        assert client.post("/v1/events", json=EVENT).status_code == 201
        for path in ("/_info", "/v1/stream-configs", "/docs", "/robots.txt"):
            assert client.get(path).status_code == 200


def test_a_service_of_ones_own_has_no_test_events_unless_they_are_configured(tmp_path):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "streams.json").write_text(json.dumps({"a.b": {"schema_title": "a/b"}}))
    with served(
        tmp_path,
        SLUICEWAY_SCHEMAS__BASE_URIS='["schemas"]',
        SLUICEWAY_STREAMS__URI="streams.json",
    ) as service:
        assert service.get("/v1/_test/events")[0] == 404


def test_without_word_of_it_the_internal_listener_is_for_this_machine_alone(listeners):
    """The default of http.internal_host, as the kernel sees it."""
    lines = Path("/proc/net/tcp").read_text().splitlines()
    listening = "0A"
    bound = {tuple(each.split()[1].split(":")) for each in lines if each.split()[3] == listening}

    assert ("0100007F", f"{listeners.port:04X}") in bound
    assert ("00000000", f"{listeners.port:04X}") not in bound
