"""Origins that look like a listed one, on every route and with every status, as browsers ask."""

import json

import httpx
import pytest

from tests.support import served

pytestmark = pytest.mark.slow

LISTED = ["https://www.example.org", "https://shop.example.com:8443"]
LOOK_ALIKES = [
    *("null", "NULL", "", "*", "https://*", "https://*.example.org", "file://", "about:blank"),
    *("https://example.org", "https://www.example.com", "https://www.example.orgy"),
    *("https://www.example.org.evil.test", "https://www.example.org-evil.test"),
    *(
        "https://evil-www.example.org",
        "https://evil.test/www.example.org",
        "https://a.www.example.org",
    ),
    *("https://wwwxexample.org", "https://www.example.org.", "https://.www.example.org"),
    *("http://www.example.org", "ws://www.example.org", "www.example.org", "//www.example.org"),
    *("https:www.example.org", "https:///www.example.org", "HTTPS://www.example.org"),
    *("https://WWW.example.org", "https://www.example.org:443", "https://www.example.org:8443"),
    *(
        "https://shop.example.com",
        "https://shop.example.com:84433",
        "https://shop.example.com:08443",
    ),
    *("https://www.example.org/", "https://www.example.org/x", "https://www.example.org?x=1"),
    *(
        "https://user@www.example.org",
        "https://www.example.org@evil.test",
        "https://www.example.org%00",
    ),
    *(
        "https://www.example.org%20",
        "https://www.example.org#",
        "https://www.example.org\\evil.test",
    ),
    *("https://www.example.org,https://evil.test", "https://evil.test https://www.example.org"),
    *(
        "https://www.example.org https://www.example.org",
        "https://evil.test, https://www.example.org",
    ),
    *(
        "https://www\u3002example.org",
        "https://\u217fww.example.org",
        "https://xn--www.example.org",
    ),
    *("https://www.example.org`", "https://www.example.org'", "https://www.example.org}"),
]
EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
REQUESTS = {
    "stored": ("POST", "/v1/events", json.dumps(EVENT).encode(), 201),
    "refused": ("POST", "/v1/events", b"{}", 400),
    "hasty": ("POST", "/v1/events?hasty", json.dumps(EVENT).encode(), 202),
    "another method": ("PUT", "/v1/events", b"", 405),
    "another type": ("POST", "/v1/events", b"", 415),
    "beacon": ("GET", "/beacon/event?%7B%7D;", b"", 204),
    "schema": ("GET", "/v1/schemas/demo/button/click/1.0.0", b"", 200),
    "no schema": ("GET", "/v1/schemas/no/such/1.0.0", b"", 404),
    "streams": ("GET", "/v1/stream-configs", b"", 200),
    "metrics": ("GET", "/metrics", b"", 200),
    "page": ("GET", "/docs", b"", 200),
    "nothing": ("GET", "/nope", b"", 404),
}
ASKED = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-encoding,content-type",
}
PROMISES = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-allow-private-network",
    "access-control-expose-headers",
]

EXPOSED = {"access-control-expose-headers": "retry-after, x-request-id"}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origins")
    with (
        served(folder, SLUICEWAY_HTTP__CORS_ORIGINS=json.dumps(LISTED)) as service,
        httpx.Client(base_url=service.url, timeout=20) as client,
    ):
        yield client
        assert "Traceback" not in (folder / "stderr.txt").read_text()


@pytest.fixture(scope="module")
def open_client(tmp_path_factory):
    """A client of a service that lets pages of any origin read, and knows API keys."""
    folder = tmp_path_factory.mktemp("open")
    with (
        served(
            folder,
            SLUICEWAY_HTTP__CORS_ORIGINS='["*"]',
            SLUICEWAY_AUTH__API_KEYS=json.dumps({"somebody": "sha256:" + "0" * 64}),
        ) as service,
        httpx.Client(base_url=service.url, timeout=20) as client,
    ):
        yield client


def asked(client, name, origin):
    method, path, body, status = REQUESTS[name]
    headers = [(b"origin", origin.encode())]
    if name == "another type":
        headers.append((b"content-type", b"text/html"))
    answer = client.request(method, path, content=body or None, headers=headers)
    assert answer.status_code == status
    return answer


def promised(answer):
    return {name: answer.headers[name] for name in PROMISES if name in answer.headers}


@pytest.mark.parametrize("name", REQUESTS)
def test_an_answer_names_a_listed_origin_and_says_that_it_depends_on_it(client, name):
    for origin in LISTED:
        answer = asked(client, name, origin)

        assert promised(answer) == {"access-control-allow-origin": origin} | EXPOSED
        assert answer.headers.get_list("vary") == ["Origin"]


@pytest.mark.parametrize("name", REQUESTS)
def test_an_answer_promises_a_look_alike_nothing_and_says_that_it_depends_on_it(client, name):
    for origin in LOOK_ALIKES:
        answer = asked(client, name, origin)

        assert promised(answer) == {}, origin
        assert answer.headers.get_list("vary") == ["Origin"]


def test_an_answer_to_a_request_without_origin_varies_too(client):
    method, path, body, _ = REQUESTS["stored"]

    answer = client.request(method, path, content=body)

    assert promised(answer) == {}
    assert answer.headers.get_list("vary") == ["Origin"]


@pytest.mark.parametrize("path", ["/v1/events", "/beacon/event", "/event.gif"])
def test_a_preflight_of_a_listed_origin_may_compress_and_nothing_more_than_needed(client, path):
    for origin in LISTED:
        answer = client.options(path, headers=ASKED | {"origin": origin})

        assert answer.status_code == 204
        assert answer.headers.get_list("vary") == ["Origin"]
        assert promised(answer) == {
            "access-control-allow-origin": origin,
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": (
                "accept, content-encoding, content-type, x-requested-with"
            ),
        }


@pytest.mark.parametrize("path", ["/v1/events", "/beacon/event", "/event.gif"])
def test_a_preflight_of_a_look_alike_is_promised_nothing(client, path):
    for origin in LOOK_ALIKES:
        headers = [(name.encode(), value.encode()) for name, value in ASKED.items()]
        private = (b"access-control-request-private-network", b"true")

        answer = client.options(path, headers=[*headers, private, (b"origin", origin.encode())])

        assert answer.status_code == 204
        assert promised(answer) == {}, origin
        assert answer.headers.get_list("vary") == ["Origin"]


def test_of_two_origins_no_stranger_is_named(client):
    headers = [(b"origin", b"https://evil.test"), (b"origin", LISTED[0].encode())]

    answer = client.post("/v1/events", json=EVENT, headers=headers)

    assert "evil" not in str(promised(answer))


@pytest.mark.parametrize("name", REQUESTS)
def test_where_any_origin_may_read_none_gets_answers_to_requests_with_cookies(open_client, name):
    for origin in ("null", "https://evil.test"):
        answer = asked(open_client, name, origin)

        # The same for everybody, so it need not vary; with cookies browsers refuse a star.
        assert promised(answer) == {"access-control-allow-origin": "*"} | EXPOSED


def test_where_any_origin_may_read_a_preflight_allows_headers_but_never_cookies(open_client):
    answer = open_client.options("/v1/events", headers=ASKED | {"origin": "https://evil.test"})

    allowed = promised(answer)
    assert allowed["access-control-allow-origin"] == "*"
    assert "content-encoding" in allowed["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in allowed
