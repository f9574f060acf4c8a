"""What is kept of the person behind a request, by the rules of each stream."""

import json

import pytest

TEXT = {"type": "string"}
SCHEMA = {
    "$schema": "https://json-schema.org/draft-07/schema#",
    "title": "full",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "$schema": TEXT,
        "meta": {"type": "object", "properties": dict.fromkeys(("stream", "request_id"), TEXT)},
        "language": TEXT,
        "http": {
            "type": "object",
            "properties": {
                "client_ip": TEXT,
                "request_headers": {"type": "object", "additionalProperties": TEXT},
            },
        },
        "useragent": {
            "type": "object",
            "additionalProperties": {"type": ["string", "boolean"]},
        },
    },
}
COLLECTED = {"http.request_headers.user-agent": "user-agent", "language": "accept-language"}
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:70.0) Gecko/20100101 Firefox/70.0"
HEADERS = {"user-agent": AGENT, "accept-language": "rm", "x-request-id": "r-1"}


@pytest.fixture
def posted(serving, tmp_path):
    """Send an event to a stream with some settings; return what was stored."""

    async def posted(body=None, *, headers=None, peer="203.0.113.9", **settings):
        folder = tmp_path / "schemas" / "full"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "1.0.0.yaml").write_text(json.dumps(SCHEMA))
        streams = {
            "full": {"schema_title": "full", "enrich_fields_from_http_headers": COLLECTED}
            | settings
        }
        (tmp_path / "streams.yaml").write_text(json.dumps(streams))
        event = {"$schema": "/full/1.0.0", "meta": {"stream": "full"}} | (body or {})
        house = {
            "schemas": {"base_uris": [str(tmp_path / "schemas")]},
            "streams": {"uri": str(tmp_path / "streams.yaml")},
        }
        async with serving(**house, peer=peer) as client:
            answer = await client.post("/v1/events", json=event, headers=HEADERS | (headers or {}))
            assert answer.status_code == 201, answer.text
            (stored,) = client.journal.stored
            return stored

    return posted


async def test_without_rules_all_that_the_schema_has_is_kept(posted):
    stored = await posted(headers={"dnt": "1", "sec-gpc": "1"})

    assert stored["http"] == {
        "client_ip": "203.0.113.9",
        "request_headers": {"user-agent": AGENT},
    }
    assert stored["language"] == "rm"
    assert "useragent" not in stored


@pytest.mark.parametrize(
    ("peer", "kept"), [("203.0.113.9", "203.0.113.0"), ("2001:db8:1:2::3", "2001:db8:1::")]
)
async def test_an_address_can_be_truncated(posted, peer, kept):
    stored = await posted(peer=peer, privacy={"client_ip": "truncate"})

    assert stored["http"]["client_ip"] == kept


async def test_an_address_can_be_dropped(posted):
    stored = await posted(privacy={"client_ip": "drop"})

    assert stored["http"] == {"request_headers": {"user-agent": AGENT}}


@pytest.mark.parametrize(
    ("rule", "sent", "kept"),
    [
        ("keep", "192.0.2.77", {"client_ip": "192.0.2.77", "request_headers": {}}),
        ("truncate", "192.0.2.77", {"client_ip": "192.0.2.0", "request_headers": {}}),
        ("truncate", "in disguise", {"request_headers": {}}),
        ("truncate", 3221226061, {"request_headers": {}}),
        ("drop", "192.0.2.77", {"request_headers": {}}),
    ],
)
async def test_a_rule_holds_for_an_address_in_the_event_too(posted, rule, sent, kept):
    http = {"client_ip": sent, "request_headers": {}}

    stored = await posted(
        {"http": http},
        privacy={"client_ip": rule},
        enrich_fields_from_http_headers={},
    )

    assert stored["http"] == kept


@pytest.mark.parametrize("header", ["sec-gpc", "dnt"])
async def test_a_wish_for_privacy_can_withhold_what_tells_of_the_person(posted, header):
    stored = await posted(
        {"http": {"client_ip": "192.0.2.77"}},
        headers={header: "1"},
        privacy={"opt_out": "withhold"},
        enrich_useragent=True,
    )

    assert stored["http"] == {}
    assert "language" not in stored
    assert "useragent" not in stored
    assert stored["meta"]["request_id"] == "r-1"


@pytest.mark.parametrize("headers", [{}, {"dnt": "0"}, {"sec-gpc": "true", "dnt": "unspecified"}])
async def test_only_a_plain_1_is_a_wish(posted, headers):
    stored = await posted(headers=headers, privacy={"opt_out": "withhold"})

    assert stored["http"]["client_ip"] == "203.0.113.9"
    assert stored["language"] == "rm"


async def test_a_wish_withholds_the_whole_address_where_it_is_truncated(posted):
    stored = await posted(
        headers={"dnt": "1"}, privacy={"opt_out": "withhold", "client_ip": "truncate"}
    )

    assert "http" not in stored


async def test_the_server_sets_no_address_where_its_field_is_never_to_be_filled(posted):
    stored = await posted(enrich_fields_from_http_headers={"http.client_ip": False})

    assert "http" not in stored


async def test_the_user_agent_can_be_taken_apart(posted):
    stored = await posted(enrich_useragent=True)

    assert stored["useragent"] == {
        "device_family": "Other",
        "browser_family": "Firefox",
        "browser_major": "70",
        "browser_minor": "0",
        "os_family": "Linux",
        "wmf_app_version": "-",
        "is_bot": False,
        "is_mediawiki": False,
    }


async def test_that_needs_no_user_agent_to_be_stored(posted):
    stored = await posted(enrich_useragent=True, enrich_fields_from_http_headers={})

    assert stored["useragent"]["browser_family"] == "Firefox"
    assert "request_headers" not in stored["http"]


async def test_the_user_agent_in_the_event_stands_before_the_requests(posted):
    http = {"request_headers": {"user-agent": "curl/7.58.0"}}

    stored = await posted({"http": http}, enrich_useragent=True)

    assert stored["useragent"]["browser_family"] == "curl"


async def test_a_user_agent_that_cannot_be_taken_apart_loses_nothing_else(posted):
    stored = await posted(headers={"user-agent": "Foo WikipediaApp/1.0"}, enrich_useragent=True)

    assert "useragent" not in stored
    assert stored["http"]["request_headers"]["user-agent"] == "Foo WikipediaApp/1.0"


async def test_what_the_client_took_apart_itself_is_kept(posted):
    stored = await posted({"useragent": {"is_bot": True}}, enrich_useragent=True)

    assert stored["useragent"] == {"is_bot": True}
