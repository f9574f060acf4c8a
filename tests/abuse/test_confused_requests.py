"""Requests that are not what they say: methods, content types, charsets, encodings of text."""

import codecs
import json
import socket

import httpx
import pytest

from tests.support import served

pytestmark = pytest.mark.slow

EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "gr\u00fcn \U0001f7e2",
}
TEXT = json.dumps(EVENT, ensure_ascii=False)
BODY = TEXT.encode()
CAPSULE = {"schema": "DemoButtonClick", "revision": 1, "event": {"button": "gr\u00fcn"}}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("confused")) as service:
        yield service
        service.assert_nothing_was_wrong()


@pytest.fixture
def client(service):
    with httpx.Client(base_url=service.url, timeout=20) as client:
        yield client


def stored(service) -> float:
    """How many events have been accepted so far."""
    return sum(
        float(line.split()[-1])
        for line in service.get("/metrics")[1].decode().splitlines()
        if line.startswith('sluiceway_events_total{reason="accepted"')
    )


def first_line(service, request: bytes) -> bytes:
    """Send a request as it is, and return the first line of the answer."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(65_536).partition(b"\r\n")[0]


# What HTTP and its relations know, what proxies use among themselves, and what is none at all.
KNOWN = [
    *("GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "PROPPATCH"),
    *("MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "PURGE", "LINK", "BIND"),
    *("SUBSCRIBE", "NOTIFY", "M-SEARCH", "SOURCE", "QUERY"),
]
UNKNOWN = [
    *(
        "post",
        "Post",
        "pOST",
        "get",
        "POST\t",
        "POSTT",
        "POS",
        "P\x00ST",
        "FOO",
        "BREW",
        "X" * 9_000,
    ),
    *("POST /v1/events HTTP/1.1 POST", "\u0420OST", "*", "%50OST"),
]
PATHS = ["/v1/events", "/beacon/event", "/event.gif", "/_info", "/metrics", "/v1/_test/events"]


@pytest.mark.parametrize("method", KNOWN)
def test_a_method_that_a_route_does_not_have_is_405_with_those_that_it_has(service, method):
    before = stored(service)
    request = "{} {} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n"
    for path in PATHS:
        taken = {"GET"} if path.startswith(("/_", "/m", "/v1/_")) else {"GET", "HEAD", "POST"}
        if path == "/v1/events":
            taken = {"POST"}
        if method in taken:
            continue

        line = first_line(service, request.format(method, path, len(BODY)).encode() + BODY)

        assert line == b"HTTP/1.1 405 Method Not Allowed", path
    assert stored(service) == before


@pytest.mark.parametrize("method", UNKNOWN)
def test_what_is_no_method_is_400(service, method):
    before = stored(service)
    request = "{} {} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n"

    for path in PATHS:
        line = first_line(service, request.format(method, path, len(BODY)).encode() + BODY)

        assert line.startswith(b"HTTP/1.1 400 "), path
    assert stored(service) == before


@pytest.mark.parametrize(
    "name", ["x-http-method-override", "x-http-method", "x-method-override", "x-original-method"]
)
def test_no_header_makes_another_method_of_one(client, service, name):
    before = stored(service)

    got = client.request("GET", "/v1/events", headers={name: "POST"}, content=BODY)
    posted = client.post("/v1/events?_method=GET", headers={name: "GET"}, content=BODY)

    assert (got.status_code, posted.status_code) == (405, 201)
    assert stored(service) == before + 1


@pytest.mark.parametrize("name", ["x-original-url", "x-rewrite-url", "x-forwarded-path"])
def test_no_header_makes_another_path_of_one(client, name):
    assert client.get("/nope", headers={name: "/metrics"}).status_code == 404
    assert client.get("/_info", headers={name: "/nope"}).status_code == 200


TYPES_TAKEN = ["application/json", "text/plain", "application/reports+json"]
TYPES_REFUSED = [
    *("text/html", "text/json", "text/javascript", "application/javascript", "application/ld+json"),
    *("application/xml", "application/x-ndjson", "application/jsonl", "application/octet-stream"),
    *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/gif"),
    *("application/cloudevents+json", "application/csp-report", "*/*", "application/*"),
    *("application", "json", "/", ";", "application/json, text/plain", "application /json"),
    *("application/json/extra", "application/jsonx", '"application/json"', "charset=utf-8"),
]
CHARSETS_TAKEN = ["utf-8", "UTF-8", "utf8", "Utf-8", '"utf-8"', "us-ascii"]
CHARSETS_REFUSED = [
    *("utf-16", "UTF-16LE", "utf-16be", "utf-32", "utf-7", "iso-8859-1", "latin1", "windows-1252"),
    *("ebcdic-cp-us", "shift_jis", "gb18030", "big5", "utf-8-sig", "utf_8", "klingon", "'utf-8'"),
    *("utf-8 utf-16", "utf-8,utf-16", "rot13", "idna", "unicode_escape"),
]


@pytest.mark.parametrize("kind", TYPES_TAKEN)
@pytest.mark.parametrize("charset", CHARSETS_TAKEN)
def test_events_come_as_one_of_three_types_in_utf8(client, kind, charset):
    for said in (f"{kind};charset={charset}", f"{kind.upper()} ; x=y; Charset={charset}"):
        answer = client.post("/v1/events", content=BODY, headers={"content-type": said})

        assert answer.status_code == 201, said


@pytest.mark.parametrize("kind", TYPES_REFUSED)
def test_another_type_is_415_whatever_the_body(client, kind):
    for body in (BODY, b"", b"\xff", b"button=save"):
        answer = client.post("/v1/events", content=body, headers={"content-type": kind})

        assert answer.status_code == 415
        assert answer.json()["invalid"][0]["reason"] == "unsupported_media"


@pytest.mark.parametrize("charset", CHARSETS_REFUSED)
def test_another_charset_is_415_even_if_the_body_is_utf8(client, charset):
    for kind in TYPES_TAKEN:
        for said in (f"{kind}; charset={charset}", f"{kind}; charset=utf-8; charset={charset}"):
            answer = client.post("/v1/events", content=BODY, headers={"content-type": said})

            assert answer.status_code == 415, said


def test_two_content_types_are_415(client):
    headers = [("content-type", "application/json"), ("content-type", "text/plain")]

    assert client.post("/v1/events", content=BODY, headers=headers).status_code == 415


BODIES = {
    "utf-16": TEXT.encode("utf-16"),
    "utf-16-le": TEXT.encode("utf-16-le"),
    "utf-16-be": TEXT.encode("utf-16-be"),
    "utf-16-be with BOM": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "utf-32": TEXT.encode("utf-32"),
    "utf-32-be": TEXT.encode("utf-32-be"),
    "utf-7": TEXT.encode("utf-7").replace(b'"', b"+ACI-"),
    "latin-1": TEXT.replace("\U0001f7e2", "").encode("latin-1"),
    "gb18030": TEXT.encode("gb18030"),
    "cp500": TEXT.replace("\U0001f7e2", "").encode("cp500"),
    "utf-8 twice": TEXT.encode().decode("latin-1").encode() + b"\xff",
}
SAID = [None, "application/json", "text/plain; charset=utf-8", "application/json; charset=us-ascii"]


@pytest.mark.parametrize("name", BODIES)
def test_a_text_that_is_not_utf8_is_400_and_nothing_of_it_is_stored(client, service, name):
    before = stored(service)

    for said in SAID:
        headers = {"content-type": said} if said else {}
        answer = client.post("/v1/events", content=BODIES[name], headers=headers)

        assert answer.status_code == 400
        assert answer.json()["invalid"][0]["reason"] == "malformed"
    named = client.post(
        "/v1/events",
        content=BODIES[name],
        headers={"content-type": f"application/json; charset={name.split()[0]}"},
    )

    assert named.status_code == (400 if name == "utf-8 twice" else 415)
    assert stored(service) == before


@pytest.mark.parametrize("charset", CHARSETS_REFUSED)
def test_a_beacon_that_says_so_is_204_and_stores_nothing(client, service, charset):
    before = stored(service)
    body = json.dumps(CAPSULE).encode()
    assert client.post("/beacon/event", content=body, headers=JSON).status_code == 204
    assert stored(service) == before + 1

    for kind in ("application/json", "text/plain"):
        said = {"content-type": f"{kind}; charset={charset}"}
        answer = client.post("/beacon/event", content=body, headers=said)

        assert answer.status_code == 204
        assert answer.content == b""
    assert stored(service) == before + 1
