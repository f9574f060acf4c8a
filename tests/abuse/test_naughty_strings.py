"""Naughty strings in every position: stored exactly as they were sent, or refused with 400."""

import json
import socket
from contextlib import suppress
from ipaddress import ip_address
from itertools import groupby
from uuid import UUID

import pytest

from app.protocol import MAX_URL
from app.web.requestids import is_sane
from tests.abuse.corpora.case import Naughty
from tests.abuse.corpora.naughty import NAUGHTY
from tests.abuse.corpora.wires import CAPSULE_NAME, SCHEMA_URI, STREAM, query_of, settings
from tests.support import served

GROUPS = [pytest.param(list(group), id=name) for name, group in groupby(NAUGHTY, lambda n: n.group)]
PEER = "203.0.113.5"
MAX_HEADER = 400


@pytest.fixture
async def client(serving, tmp_path):
    async with serving(**settings(tmp_path), peer=PEER) as client:
        yield client


def event(**more):
    """A good modern event with further fields; those of `meta` are added to its meta."""
    meta = {"stream": STREAM} | more.pop("meta", {})
    return {"$schema": SCHEMA_URI, "meta": meta} | more


def capsule(**more):
    return {"schema": CAPSULE_NAME, "event": {}} | more


def encodings(value):
    """Both ways to write a value: characters escaped, and as they are where UTF-8 has them."""
    yield json.dumps(value).encode()
    with suppress(UnicodeEncodeError):
        yield json.dumps(value, ensure_ascii=False).encode()


def positions(text):
    """Fields in which a text is sent; those of events and of capsules alike."""
    return [
        {"value": text},
        {"value": [[text], {"inner": {"deep": text}}]},
        {"value": {text: 1}},
        {"value": {"outer": {text: {text: text}}}},
        {"x" + text: text},
    ]


def check_fields(client, naughty: Naughty, fields):
    if naughty.field == "malformed":
        assert client.journal.stored == []
        assert {error["reason"] for error in client.journal.errors} == {"malformed"}
        return
    assert client.journal.errors == []
    for stored, sent in zip(client.journal.stored, fields, strict=True):
        assert {name: stored[name] for name in sent} == sent


@pytest.mark.parametrize("group", GROUPS)
async def test_a_string_is_kept_in_every_field_of_a_modern_event(client, group):
    for naughty in group:
        fields = positions(naughty.text)
        for body in encodings([event(**sent) for sent in fields]):
            client.journal.clear()

            answer = await client.post("/v1/events", content=body)

            assert answer.status_code == (201 if naughty.field == "stored" else 400), naughty
            check_fields(client, naughty, fields)


@pytest.mark.parametrize("group", GROUPS)
async def test_a_string_is_kept_in_every_field_of_a_beacon(client, group):
    for naughty in group:
        for sent in positions(naughty.text):
            for query in map(query_of, encodings(capsule(**sent))):
                if len(query) < MAX_URL:
                    client.journal.clear()

                    await client.get(f"/beacon/event?{query};")

                    check_fields(client, naughty, [sent])


@pytest.mark.parametrize("group", GROUPS)
async def test_a_string_is_kept_in_the_fields_of_meta(client, group):
    for naughty in group:
        client.journal.clear()
        meta = dict.fromkeys(("id", "request_id", "domain", "other"), naughty.text)
        sent = event(meta=meta | {"dt": naughty.text})

        answer = await client.post("/v1/events", content=json.dumps(sent))

        assert answer.status_code == (201 if naughty.field == "stored" else 400), naughty
        if naughty.field == "stored":
            (stored,) = client.journal.stored
            assert {name: stored["meta"][name] for name in meta} == meta, naughty
            assert stored["meta"]["dt"].endswith("Z")  # always the time of receipt
            assert stored["meta"]["dt"] != naughty.text


@pytest.mark.parametrize("group", GROUPS)
async def test_a_string_is_kept_as_the_clients_time_where_that_is_asked_for(
    serving, tmp_path, group
):
    async with serving(**settings(tmp_path), meta_dt="client") as client:
        for naughty in group:
            client.journal.clear()

            answer = await client.post(
                "/v1/events", content=json.dumps(event(meta={"dt": naughty.text}))
            )

            stored = naughty.field == "stored"
            assert answer.status_code == (201 if stored else 400), naughty
            kept = [e["meta"]["dt"] for e in client.journal.stored]
            assert kept == ([naughty.text] if stored else []), naughty


@pytest.mark.parametrize("group", GROUPS)
async def test_a_string_is_no_stream_no_schema_and_no_mapped_name(client, group):
    for naughty in group:
        text = naughty.text
        own = "stream_reserved" if text == "sluiceway.error" else "unknown_stream"
        cases = [
            (event(meta={"stream": text}), {own if text else "missing_field"}),
            (event() | {"$schema": text}, {"schema_not_found" if text else "missing_field"}),
            (capsule() | {"schema": text}, {"missing_field", "unmapped_schema"}),
            (
                {"meta": {"schema_uri": "corpus/any/1", "topic": text}},
                {own if text else "missing_field"},
            ),
            (
                {"meta": {"schema_uri": text, "topic": STREAM}},
                {"schema_not_found", "missing_field"},
            ),
        ]
        for sent, reasons in cases:
            answer = await client.post("/v1/events", content=json.dumps(sent))

            assert answer.status_code == 400, naughty
            (told,) = answer.json()["invalid"]
            wanted = {"malformed"} if naughty.field == "malformed" else reasons
            assert told["reason"] in wanted, naughty

    assert client.journal.stored == []


@pytest.mark.parametrize("group", GROUPS)
async def test_a_string_in_the_query_of_a_post_leads_nowhere(serving, tmp_path, group):
    http = {"stream_query_param": "stream", "schema_uri_query_param": "schema_uri"}
    async with serving(**settings(tmp_path), http=http) as client:
        for naughty in group:
            raw = query_of(naughty.text.encode("utf-8", "surrogatepass"))

            hasty = await client.post(f"/v1/events?hasty={raw}", json=event())
            other = await client.post(f"/v1/events?other={raw}&{raw}", json=event())
            stream = await client.post(f"/v1/events?stream={raw}", json={"$schema": SCHEMA_URI})
            schema = await client.post(
                f"/v1/events?schema_uri={raw}", json={"meta": {"stream": STREAM}}
            )

            flags = {"true": 202, "": 202, "0": 201}
            assert hasty.status_code == flags.get(naughty.text.strip(), 400), naughty
            assert other.status_code == (201 if naughty.field == "stored" else 400), naughty
            assert (stream.status_code, schema.status_code) == (400, 400), naughty


@pytest.mark.parametrize("group", GROUPS)
async def test_a_string_for_an_address_counts_only_if_it_is_one(serving, tmp_path, group):
    async with serving(**settings(tmp_path), peer=PEER, http={"trusted_proxies": [PEER]}) as client:
        for naughty in group:
            value = naughty.text.encode("utf-8", "surrogatepass")
            expected = PEER
            with suppress(ValueError):
                expected = str(ip_address(naughty.text.strip()))
            for name in (b"x-client-ip", b"x-forwarded-for"):
                client.journal.clear()

                answer = await client.post("/v1/events", json=event(), headers=[(name, value)])

                assert answer.status_code == 201, naughty
                (stored,) = client.journal.stored
                assert stored["http"]["client_ip"] == expected, naughty


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("naughty")
    (folder / "sluiceway.yaml").write_text(json.dumps(settings(folder)))
    with served(folder, "--config", "sluiceway.yaml") as service:
        yield service
        assert "Traceback" not in (folder / "stderr.txt").read_text()


def posted(connection, number, value):
    """Post an event whose headers hold a value; return the head of the answer."""
    body = json.dumps(event(number=number)).encode()
    names = (b"user-agent", b"referer", b"x-request-id", b"x-client-ip", b"forwarded", b"cookie")
    lines = b"".join(b"%s: %s\r\n" % (name, value) for name in names)
    connection.sendall(
        b"POST /v1/events HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
        b"%scontent-length: %d\r\n\r\n%s" % (lines, len(body), body)
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(65_536)
        if not part:
            break
        answer += part
    return answer


def as_header(naughty: Naughty) -> str | None:
    """Return what a service reads of a header, None if it cannot be sent."""
    text = naughty.text
    match naughty.header:
        case "cannot":
            return None
        case "trimmed":
            return text.strip(" \t")
        case "cut":
            return text[:MAX_HEADER]
    return text


@pytest.mark.slow
def test_every_string_in_the_headers_is_kept_or_refused_by_a_running_service(service):
    host, port = service.url.removeprefix("http://").split(":")
    sendable = [n for n in NAUGHTY if n.field == "stored"]
    expected = {}

    for number, naughty in enumerate(sendable):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            head = posted(connection, number, naughty.text.encode())
        wanted = as_header(naughty)
        if wanted is None:
            assert head.startswith(b"HTTP/1.1 400 "), naughty
        else:
            assert head.startswith(b"HTTP/1.1 201 "), naughty
            expected[number] = wanted
        assert b"Owned" not in head

    stored = {row["event"]["number"]: row["event"] for row in service.log("--stream", STREAM)}
    assert stored.keys() == expected.keys()
    for number, wanted in expected.items():
        headers = stored[number]["http"]["request_headers"]
        assert headers == {"user-agent": wanted, "referer": wanted}, sendable[number]
        # An id that might harm whoever reads it somewhere is not taken, but made.
        request_id = stored[number]["meta"]["request_id"]
        assert request_id == wanted if is_sane(wanted.encode()) else UUID(request_id)
        assert stored[number]["http"]["client_ip"] == "127.0.0.1"


@pytest.mark.slow
def test_every_string_in_the_log_of_a_running_service_is_what_was_sent(service):
    fields = [
        event(place=f"{n.group}: {n.name}", value=n.text, **{f"key {n.text}": n.text})
        for n in NAUGHTY
        if n.field == "stored"
    ]

    status, _ = service.post(fields)

    stored = {
        row["event"]["place"]: row["event"]
        for row in service.log("--stream", STREAM)
        if "place" in row["event"]
    }
    assert status == 201
    for sent in fields:
        kept = stored[sent["place"]]
        assert {name: kept[name] for name in sent if name != "meta"} == {
            name: sent[name] for name in sent if name != "meta"
        }


def test_the_corpus_is_as_large_as_it_says():
    assert len(NAUGHTY) >= 150
    assert len({(n.group, n.name) for n in NAUGHTY}) == len(NAUGHTY)
    assert len({n.text for n in NAUGHTY}) == len(NAUGHTY)
