import pytest

from app.core.errors import SinkUnavailable
from app.sinks.memory import MemorySink

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
ALLOWED = "https://www.example.org"


def allow_origin(answer):
    return answer.headers.get("access-control-allow-origin")


async def test_an_allowed_origin_may_read_answers_good_and_bad(serving):
    async with serving(http={"cors_origins": [ALLOWED]}) as client:
        for body in (GOOD, {}):
            answer = await client.post("/v1/events", json=body, headers={"origin": ALLOWED})

            assert allow_origin(answer) == ALLOWED
            assert answer.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in answer.headers


async def test_an_allowed_origin_reads_when_to_come_again(serving):
    sink = MemorySink(answer=lambda _: SinkUnavailable("No."))
    async with serving(http={"cors_origins": [ALLOWED]}, sink=sink) as client:
        answer = await client.post("/v1/events", json=GOOD, headers={"origin": ALLOWED})

        assert answer.status_code == 503
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"retry-after", "x-request-id"} <= {name.lower() for name in answer.headers}
        assert exposed == ["retry-after", "x-request-id"]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://www.example.org",
        "https://www.example.org.evil.test",
        "https://evil-www.example.org",
        "https://www.example.org:8443",
        "https://WWW.EXAMPLE.ORG",
    ],
)
async def test_look_alikes_may_not(serving, origin):
    async with serving(http={"cors_origins": [ALLOWED]}) as client:
        answer = await client.post("/v1/events", json=GOOD, headers={"origin": origin})
        preflight = await client.options("/v1/events", headers={"origin": origin})

        assert answer.status_code == 201
        assert allow_origin(answer) is None
        assert answer.headers["vary"] == "Origin"
        assert allow_origin(preflight) is None
        assert "access-control-allow-methods" not in preflight.headers


async def test_a_preflight_says_which_headers_may_be_sent(serving):
    async with serving(http={"cors_origins": [ALLOWED]}) as client:
        answer = await client.options(
            "/v1/events",
            headers={"origin": ALLOWED, "access-control-request-method": "POST"},
        )

        assert answer.status_code == 204
        assert allow_origin(answer) == ALLOWED
        assert "POST" in answer.headers["access-control-allow-methods"]
        for header in ("content-type", "content-encoding"):
            assert header in answer.headers["access-control-allow-headers"]


async def test_a_star_allows_all_and_says_so(serving):
    async with serving(http={"cors_origins": ["*"]}) as client:
        answer = await client.get("/_info", headers={"origin": "https://anybody.test"})

        assert allow_origin(answer) == "*"


async def test_cors_is_off_by_default(client):
    answer = await client.post("/v1/events", json=GOOD, headers={"origin": ALLOWED})

    assert allow_origin(answer) is None
    assert "vary" not in answer.headers
