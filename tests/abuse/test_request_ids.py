"""Request ids: what a client brings gets into answers, events and logs only if it is harmless."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.current import CurrentRequest
from app.web.requestids import NAME, beside_answer

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
BAD = GOOD | {"button": 7}
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

ROUTES = [
    ("POST", "/v1/events"),
    ("GET", "/v1/events"),
    ("OPTIONS", "/v1/events"),
    ("GET", "/beacon/event?%7B%7D;"),
    ("POST", "/beacon/event"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/_info"),
    ("GET", "/_info/home"),
    ("GET", "/?doc"),
    ("GET", "/?spec"),
    ("GET", "/v1/stream-configs"),
    ("GET", "/v1/schemas/no/such/1.0.0"),
    ("GET", "/v1/_test/events"),
    ("GET", "/no/such/route"),
    ("DELETE", "/healthz"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_an_id_is_echoed_by_every_route(client, method, path):
    answer = await client.request(method, path, headers={"x-request-id": "Root=1-678/a+b@c:d_e.f"})

    assert answer.headers.get_list("x-request-id") == ["Root=1-678/a+b@c:d_e.f"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_request_without_id_that_fails_is_given_one(client, method, path):
    answer = await client.request(method, path)

    if answer.status_code >= 300:
        assert UUID.fullmatch(answer.headers["x-request-id"])


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"a b",
        b"a,b",
        b"a;b",
        b'"a"',
        b"<script>",
        b"%0d%0aset-cookie:x",
        b"a\x1b[31m",
        b"a\tb",
        b"\xe2\x80\xa8",
        b"\xff",
        b"-starts-like-an-option",
        b"=cmd|' /C calc'!A0",
        b"../../etc",
        b"${jndi:x}",
        b"%s%n",
        b"a" * 129,
        b"a" * 60_000,
    ],
)
async def test_an_id_that_could_do_harm_is_replaced_everywhere(client, value):
    answer = await client.post("/v1/events", json=[GOOD, BAD], headers={b"x-request-id": value})

    (made,) = answer.headers.get_list("x-request-id")
    assert UUID.fullmatch(made)
    assert client.journal.stored[0]["meta"]["request_id"] == made
    assert client.journal.errors[0]["meta"]["request_id"] == made


async def test_of_two_ids_none_counts(client):
    headers = [("x-request-id", "one"), ("x-request-id", "two")]

    answer = await client.post("/v1/events", json=BAD, headers=headers)

    assert UUID.fullmatch(answer.headers["x-request-id"])


async def test_answer_event_and_error_event_share_the_id_that_was_brought(client):
    answer = await client.post("/v1/events", json=[GOOD, BAD], headers={"x-request-id": "r-1"})

    assert answer.headers["x-request-id"] == "r-1"
    assert client.journal.stored[0]["meta"]["request_id"] == "r-1"
    assert client.journal.errors[0]["meta"]["request_id"] == "r-1"


async def test_answer_and_event_share_the_id_that_was_made(client):
    answer = await client.post("/v1/events", json=GOOD)

    assert client.journal.stored[0]["meta"]["request_id"] == answer.headers["x-request-id"]


async def test_a_success_for_which_nobody_needed_an_id_has_none(serving):
    async with serving(enrich_fields_from_http_headers={}) as client:
        answer = await client.post("/v1/events", json=GOOD)

        assert answer.status_code == 201
        assert "x-request-id" not in answer.headers


@given(value=st.binary(max_size=300))
def test_no_bytes_of_a_client_get_into_the_header_but_an_id_that_is_harmless(value):
    name, told = beside_answer(CurrentRequest(), {"headers": [(NAME, value)]})

    assert name == NAME
    assert SANE.fullmatch(told.decode())
