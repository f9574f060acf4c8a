"""Schema repositories that fail in every way there is, and strangers who name what is not there."""

import asyncio
import gc
import json
import os
import time

import pytest

from app.core.events import Context, RawEvent
from app.sinks.memory import MemorySink
from tests.abuse import webserver
from tests.abuse.webserver import WebServer, becomes

DEADLINE = 1.0
"""The deadline of these services, schemas.fetch_timeout being half of it."""
KNOWN = "/known/1.0.0"
OTHER = "/other/1.0.0"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
async def repository():
    """A repository with two schemas of one title."""
    async with WebServer() as server:
        for uri in (KNOWN, OTHER):
            server.put(uri, schema(uri))
        yield server


@pytest.fixture
def serving_from(serving, tmp_path):
    """Serve one stream, with schemas from repositories at base URIs."""

    def serving_from(*base_uris, streams="{any: {schema_title: any}}", more=None, **schemas):
        (tmp_path / "streams.yaml").write_text(streams)
        return serving(
            **more or {},
            schemas={"base_uris": list(base_uris), "fetch_timeout": DEADLINE / 2} | schemas,
            streams={"uri": str(tmp_path / "streams.yaml")},
            http={"produce_timeout": DEADLINE},
        )

    return serving_from


def schema(uri, **more):
    return {"title": "any", "$id": uri, "properties": {"n": {"type": "integer"}}} | more


def event(uri=KNOWN, **more):
    return {"$schema": uri, "meta": {"stream": "any"}} | more


def service_of(client):
    return client.app._app.state.service


async def until_told(client, status, uri):
    """Post an event until it is answered so: what failed is remembered for two seconds."""

    async def told():
        return (await client.post("/v1/events", json=event(uri))).status_code == status

    await becomes(told)


async def test_a_service_starts_while_its_repository_is_away_and_recovers(repository, serving_from):
    await repository.stop()
    async with serving_from(repository.url) as client:
        ready = await client.get("/readyz")
        away = await client.post("/v1/events", json=event())
        await repository.start()

        await until_told(client, 201, KNOWN)

    assert ready.status_code == 200
    assert away.status_code == 503
    assert away.json()["error"][0]["reason"] == "schema_unavailable"


TROUBLES = {
    "slow": webserver.slow,
    "html": webserver.body(b"<!doctype html><title>Sign in: please</title>"),
    "html_with_a_keyword": webserver.body(b"<html>\ntype: object\ntitle: any"),
    "garbage": webserver.body(b"\x00\xff\x00{"),
    "no_object": webserver.body(b"[1, 2]"),
    "no_schema": webserver.body({"error": "maintenance"}),
    "another_id": webserver.body(schema("/other/2.0.0")),
    "another_path": webserver.body(schema("/elsewhere/1.0.0")),
    "server_error": webserver.status(500),
    "forbidden": webserver.status(403),
    "redirect_loop": webserver.redirect(OTHER),
    "redirect_to_a_file": webserver.redirect("file:///etc/passwd"),
    "hanging_up": webserver.hang_up,
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_in_trouble_what_is_known_works_and_what_is_not_is_unavailable_in_time(
    repository, serving_from, trouble
):
    async with serving_from(repository.url) as client:
        await client.post("/v1/events", json=event())
        repository.at(OTHER, trouble)
        started = time.monotonic()

        both = await client.post("/v1/events", json=[event(), event(OTHER)])

        took = time.monotonic() - started
        cached = service_of(client).schemas.cached
        repository.put(OTHER, schema(OTHER))
        await until_told(client, 201, OTHER)

    assert both.status_code == 207
    assert [(e["index"], e["reason"]) for e in both.json()["error"]] == [(1, "schema_unavailable")]
    assert took < DEADLINE + 0.5
    # Nothing of what came in the trouble was taken for the schema: only the known one, and ours.
    assert cached == 2


async def test_a_schema_of_five_gigabytes_is_cut_at_the_limit(repository, serving_from):
    repository.at(OTHER, repository.endless)
    async with serving_from(repository.url, max_size=65_536) as client:
        answer = await client.post("/v1/events", json=event(OTHER))

    assert answer.status_code == 503
    assert "more than 65,536 bytes" in answer.text
    # The limit, and what sockets and their readers hold.
    assert repository.sent < 16 * 1024 * 1024


async def test_a_repository_that_is_gone_for_ever_takes_no_known_schema_away(
    repository, serving_from
):
    async with serving_from(repository.url) as client:
        await client.post("/v1/events", json=event())
        await repository.stop()

        answers = [await client.post("/v1/events", json=event(n=n)) for n in range(50)]
        unknown = await client.post("/v1/events", json=event(OTHER))

        assert {answer.status_code for answer in answers} == {201}
        assert len(client.journal.stored) == 51
        assert unknown.json()["error"][0]["reason"] == "schema_unavailable"


async def test_however_many_requests_ask_one_is_made_of_the_repository(repository, serving_from):
    gate = asyncio.Event()
    repository.at(KNOWN, webserver.after(gate, webserver.body(schema(KNOWN))))
    async with serving_from(repository.url) as client:
        posting = [
            asyncio.create_task(client.post("/v1/events", json=[event()] * 5)) for _ in range(100)
        ]
        await repository.contacted.wait()
        gate.set()

        answers = await asyncio.gather(*posting)

    assert {answer.status_code for answer in answers} == {201}
    assert repository.asked == [KNOWN]


async def test_a_failure_is_remembered_briefly(repository, serving_from):
    repository.at(OTHER, webserver.status(500))
    async with serving_from(repository.url) as client:
        started = time.monotonic()
        for _ in range(50):
            await client.post("/v1/events", json=[event(OTHER)] * 20)
        took = time.monotonic() - started
        asked = repository.asked.count(OTHER)
        repository.put(OTHER, schema(OTHER))

        await until_told(client, 201, OTHER)

    assert asked <= 1 + took / 2


async def test_what_is_not_there_is_asked_for_once(repository, serving_from):
    async with serving_from(repository.url) as client:
        answers = [await client.post("/v1/events", json=event("/no/1.0.0")) for _ in range(50)]

    assert {answer.status_code for answer in answers} == {400}
    # As it is, and with two extensions.
    assert len(repository.asked) == len(set(repository.asked)) == 3


async def test_a_batch_of_unknown_schemas_does_not_wait_for_each_of_them(repository, serving_from):
    """One after the other they would take as many times the patience with one of them."""
    repository.otherwise = webserver.slow
    async with serving_from(repository.url) as client:
        events = [event(f"/no{n}/1.0.0") for n in range(1_000)]
        started = time.monotonic()

        answer = await client.post("/v1/events", json=[*events, event("..")])

        took = time.monotonic() - started

    assert answer.status_code == 503
    assert {entry["reason"] for entry in answer.json()["error"]} == {"schema_unavailable"}
    assert len(answer.json()["error"]) == 1_000
    # What can be said without a look at the repository is still said.
    assert [entry["reason"] for entry in answer.json()["invalid"]] == ["schema_not_found"]
    assert took < 2 * DEADLINE
    assert len(set(repository.asked)) <= 4


async def test_what_came_too_late_for_one_request_is_there_for_the_next(repository, serving_from):
    gate = asyncio.Event()
    repository.at(OTHER, webserver.after(gate, webserver.body(schema(OTHER))))
    async with serving_from(repository.url, fetch_timeout=DEADLINE * 4) as client:
        late = await client.post("/v1/events", json=event(OTHER))
        gate.set()

        await until_told(client, 201, OTHER)

    assert late.status_code == 503
    assert "did not come in the time" in late.text
    assert repository.asked == [OTHER]


def odd_uris(host):
    """Return what may be sent as $schema to make somebody connect to a host, or read a file."""
    return [
        f"http://{host}/x/1.0.0",
        f"https://{host}/x/1.0.0",
        f"HTTP://{host}/x/1.0.0",
        f"//{host}/x/1.0.0",
        f"\\\\{host}\\x\\1.0.0",
        f"/\\{host}/x/1.0.0",
        f"@{host}/x/1.0.0",
        f".{host}/../x",
        f":80@{host}/x/1.0.0",
        f"/known/1.0.0@{host}",
        f"/known/1.0.0?x=http://{host}/",
        f"/known/1.0.0#http://{host}/",
        f"ftp://{host}/x",
        f"gopher://{host}/x",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "/etc/../../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%252f..%252fetc/passwd",
        "/known/..;/1.0.0",
        "/known/1.0.0\x00",
        "/known\x00/1.0.0",
        "/known/1.0.0\r\nhost: elsewhere",
        "/known/1.0.0 HTTP/1.1",
        "/known/\u2024\u2024/1.0.0",
        "/kn\uff0fown/1.0.0",
        "/.git/config",
        "",
        "/",
    ]


async def test_no_spelling_of_a_schema_uri_makes_a_connection(repository, serving_from):
    async with WebServer() as elsewhere, serving_from(repository.url) as client:
        uris = odd_uris(f"127.0.0.1:{elsewhere.port}")

        answers = [await client.post("/v1/events", json=event(uri)) for uri in uris]

        assert {answer.status_code for answer in answers} == {400}
        assert elsewhere.asked == []
        assert repository.asked == []
        assert client.journal.stored == []


def references(far):
    """Return schemas that lead elsewhere by each keyword that could, by a name."""
    return {
        "ref": {"properties": {"n": {"$ref": far}}},
        "ref_in_all_of": {"allOf": [{"$ref": far}]},
        "ref_below_an_id": {"properties": {"n": {"$id": far, "properties": {"m": {"$ref": "y"}}}}},
        "id_and_ref": {"$id": far, "$ref": "#/definitions/x", "definitions": {"x": {"$id": far}}},
        "meta_schema": {"$schema": far},
        "meta_schema_inside": {"properties": {"n": {"$schema": far, "$ref": far}}},
        "dynamic_ref": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$dynamicRef": far,
        },
        "recursive_ref": {
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "$recursiveRef": far,
        },
        "vocabulary": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$vocabulary": {far: True},
            "$ref": far,
        },
    }


async def test_no_schema_makes_the_service_reach_out(repository, serving_from, tmp_path):
    # Whoever opens a pipe to read waits for a writer, who in turn is told that somebody reads.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with WebServer() as elsewhere:
        elsewhere.otherwise = webserver.body({"title": "any"})
        targets = [
            f"{elsewhere.url}/x/1.0.0",
            f"//127.0.0.1:{elsewhere.port}/x/1.0.0",
            f"file://{pipe}",
            f"file:{pipe}",
        ]
        uris = []
        for number, far in enumerate(targets):
            for name, document in references(far).items():
                uri = f"/{name}{number}/1.0.0"
                repository.put(uri, {"title": "any"} | document)
                uris.append(uri)
        async with serving_from(repository.url) as client:
            answers = {}
            for uri in uris:
                answers[uri] = await client.post("/v1/events", json=event(uri, n=1))
            stored = client.journal.stored

        assert elsewhere.asked == []
    with pytest.raises(OSError, match="No such device or address"):
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    # An $id that nothing refers through is but a name; whatever leads elsewhere is refused.
    taken = {uri for uri, answer in answers.items() if answer.status_code == 201}
    assert taken <= {uri for uri in uris if "id" in uri}
    assert len(stored) == len(taken)
    refused = [answer for uri, answer in answers.items() if uri not in taken]
    assert {answer.status_code for answer in refused} == {503}
    reasons = {answer.json()["error"][0]["reason"] for answer in refused}
    assert reasons == {"schema_unusable", "schema_unavailable"}  # the latter, where the $id is far
    assert len(refused) >= 7 * len(targets)


@pytest.mark.parametrize(
    "document",
    [
        b"<!doctype html><title>Sign in</title>" + b" " * 200_000,
        schema("/another/1.0.0", description="x" * 200_000),
    ],
    ids=["html", "another_id"],
)
async def test_what_a_failing_repository_sends_is_not_kept(repository, serving_from, document):
    """Failures are remembered for many URIs; what stood there must not be, with each."""
    repository.otherwise = webserver.body(document)
    async with serving_from(repository.url) as client:
        await client.post("/v1/events", json=event())
        gc.collect()
        before = resident()
        for number in range(1_000):
            await client.post("/v1/events", json=event(f"/sluiceway/no{number}/1.0.0"))
        gc.collect()
        grew = resident() - before
        remembered = len(service_of(client).schemas._failed)

    assert len(repository.asked) == 1_001
    assert 0 < remembered <= 1_000
    # 200 MB passed through.
    assert grew < 50_000_000


async def test_many_endless_schemas_at_once_cost_little(repository, serving_from):
    repository.otherwise = repository.endless
    async with serving_from(repository.url) as client:
        await client.post("/v1/events", json=event())
        before = resident()

        answers = await asyncio.gather(
            *(client.post("/v1/events", json=event(f"/no{n}/1.0.0")) for n in range(64))
        )
        grew = resident() - before

    assert {answer.status_code for answer in answers} == {503}
    assert grew < 100_000_000


async def test_hundreds_of_thousands_of_names_leave_everything_bounded(serving_from, tmp_path):
    """In process and without error events: a million requests would measure everything else."""
    (tmp_path / "schemas" / "known").mkdir(parents=True)
    (tmp_path / "schemas" / "known" / "1.0.0.json").write_text(json.dumps(schema(KNOWN)))
    streams = "{any: {schema_title: any}, '/^team[.]/': {schema_title: any}}"
    more = {"sink": MemorySink(max_records=100), "error_stream": {"name": None}}
    async with serving_from(str(tmp_path / "schemas"), streams=streams, more=more) as client:
        service = service_of(client)
        await client.post("/v1/events", json=event())

        async def flooded(kinds):
            """Name each of them once, and return the reasons and what memory it took."""
            gc.collect()
            before = resident()
            reasons = set()
            for batch in kinds:
                raws = [RawEvent(each) for each in batch]
                outcomes = await service.process(raws, Context(source="flood", received_ms=0))
                reasons |= {outcome.reason for outcome in outcomes}
            gc.collect()
            return reasons, resident() - before

        unknown_streams = flood(lambda n: named(f"n{n}"), 120_000)
        regex_streams = flood(lambda n: named(f"team.n{n}"), 12_000)
        odd_schemas = flood(lambda n: event(f"http://h{n}/x/1.0.0"), 60_000)
        unknown_schemas = flood(lambda n: event(f"/n{n}/1.0.0"), 12_000, 100)
        series = len((await client.get("/metrics")).text.splitlines())

        streams_told, streams_grew = await flooded(unknown_streams)
        regex_told, regex_grew = await flooded(regex_streams)
        odd_told, odd_grew = await flooded(odd_schemas)
        unknown_told, unknown_grew = await flooded(unknown_schemas)

        store, table = service.schemas, service.streams.current
        metrics = (await client.get("/metrics")).text
        known = await client.post("/v1/events", json=event())

    assert (streams_told, regex_told) == ({"unknown_stream"}, {"accepted"})
    assert (odd_told, unknown_told) == ({"schema_not_found"}, {"schema_not_found"})
    assert known.status_code == 201
    assert store.cached == 1
    assert len(store._failed) <= 10_000
    assert not store._flights
    assert len(store._spelled) + len(store._latest) <= 4
    assert len(table._young) + len(table._old) <= 10_000
    assert len(service.pipeline.enrich._plans) <= 20_000
    # Streams that took events are told apart up to a limit, then there is `other`.
    assert len(metrics.splitlines()) <= series + 2 * 2_000 + 50
    assert 'stream="other"' in metrics
    assert "n119999" not in metrics
    grew = {"streams": streams_grew, "odd": odd_grew, "unknown": unknown_grew}
    print({**grew, "regex": regex_grew})
    assert max(grew.values()) < 32_000_000
    assert regex_grew < 64_000_000


def named(stream):
    return {"$schema": KNOWN, "meta": {"stream": stream}}


def flood(make, count, size=2_000):
    """Yield events in batches, each made when it is wanted."""
    for start in range(0, count, size):
        yield [make(n) for n in range(start, min(start + size, count))]


def resident():
    with open("/proc/self/statm") as file:  # noqa: PTH123 (no file of a disk)
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
