import asyncio
import gc
import logging
from contextlib import suppress

import pytest

from app.core.errors import ConfigError, SchemaNotFound, SchemaUnavailable, SchemaUnusable
from app.schemas.repository import Repository
from app.schemas.store import SchemaStore

TITLED = {"title": "a", "properties": {"n": {"type": "integer"}}}


async def wait_for_flights(store):
    """Let the fetches that others no longer wait for come to their end."""
    await asyncio.gather(*store._flights.values(), return_exceptions=True)


async def test_a_schema_is_found_by_its_uri_and_ready_for_use(folder, opened):
    folder.put("/a/1.0.0", TITLED | {"$id": "/a/1.0.0"})
    store = await opened(folder.path)

    schema = await store.get("/a/1.0.0")

    assert (schema.uri, schema.title, schema.document["title"]) == ("/a/1.0.0", "a", "a")
    schema.validate({"n": 1})


async def test_all_spellings_are_one_schema_that_is_fetched_once(folder, opened):
    folder.put("/a/1.0.0", TITLED)
    store = await opened(folder.path)
    spellings = ["/a/1.0.0", "a/1.0.0", "/a/1.0.0#", "/a/1.0.0.yaml", "a/1.0.0.json"]

    schemas = [await store.get(uri) for uri in spellings * 2]

    assert all(schema is schemas[0] for schema in schemas)
    assert (store.cached, store.fetches) == (1, 1)


async def test_spellings_cannot_fill_the_memory(folder, opened):
    folder.put("/a/1.0.0", TITLED)
    store = await opened(folder.path, cache_size=3)

    for count in range(40):
        await store.get("/a/1.0.0" + ".yaml" * count)

    assert len(store._spelled) <= 6
    assert store.fetches == 1


async def test_the_base_uris_are_asked_in_order_and_our_own_schemas_last(
    folder, folder_at, tmp_path, opened
):
    second = folder_at(tmp_path / "second")
    folder.put("/a/1.0.0", {"title": "first"})
    second.put("/a/1.0.0", {"title": "second"})
    second.put("/b/1.0.0", {"title": "second"})
    store = await opened(folder.path, second.path)

    titles = [(await store.get(uri)).title for uri in ("/a/1.0.0", "/b/1.0.0")]

    assert titles == ["first", "second"]
    assert (await store.get("/sluiceway/error/1.0.0")).title == "sluiceway/error"


async def test_a_bad_uri_is_refused_without_looking(folder, opened):
    store = await opened(folder.path)

    for uri in ("//host/a", "http://host/a", "/../a", "/a#/b", ""):
        with pytest.raises(SchemaNotFound):
            await store.get(uri)

    assert store.fetches == 0
    assert not store._failed


async def test_what_is_not_there_is_remembered_for_a_while(folder, opened, clock):
    store = await opened(folder.path, clock=clock, negative_ttl=10)

    async def miss():
        with pytest.raises(SchemaNotFound, match="No schema repository has /a") as caught:
            await store.get("/a/1.0.0")
        return caught.value

    first, second = await miss(), await miss()
    assert store.fetches == 1
    assert second is not first
    assert (second.pointer, second.got, second.hint) == (first.pointer, first.got, first.hint)

    folder.put("/a/1.0.0", TITLED)
    clock.now += 9.9
    await miss()
    clock.now += 0.2
    assert (await store.get("/a/1.0.0")).title == "a"


async def test_a_failure_is_remembered_for_two_seconds(folder, opened, clock):
    store = await opened(folder.path, clock=clock)
    folder.put("/a/1.0.0", "<html>down for maintenance</html>")

    for _ in range(3):
        with pytest.raises(SchemaUnavailable, match="a page of HTML"):
            await store.get("/a/1.0.0")
    assert store.fetches == 1

    folder.put("/a/1.0.0", TITLED)
    clock.now += 2.1
    assert (await store.get("/a/1.0.0")).title == "a"


async def test_a_schema_that_cannot_be_used_is_not_tried_again_at_once(folder, opened, clock):
    store = await opened(folder.path, clock=clock, negative_ttl=10)
    folder.put("/a/1.0.0", {"title": "a", "$ref": "#"})

    for _ in range(3):
        with pytest.raises(SchemaUnusable, match="without end"):
            await store.get("/a/1.0.0")
    assert (store.fetches, store.refused) == (1, 1)

    folder.put("/a/1.0.0", TITLED)
    clock.now += 9.9
    with pytest.raises(SchemaUnusable):
        await store.get("/a/1.0.0")
    clock.now += 0.2
    assert (await store.get("/a/1.0.0")).title == "a"
    assert store.refused == 0


async def test_a_flood_of_unknown_uris_leaves_the_memory_flat(folder, opened):
    store = await opened(folder.path, negative_cache_size=20)

    for count in range(100):
        with pytest.raises(SchemaNotFound):
            await store.get(f"/unknown/{count}")

    assert len(store._failed) == 20
    assert store.cached == 0
    assert not store._flights


async def test_the_least_used_schemas_are_dropped(folder, opened):
    for name in "abc":
        folder.put(f"/{name}/1.0.0", TITLED)
    store = await opened(folder.path, cache_size=2)

    a = await store.get("/a/1.0.0")
    await store.get("/b/1.0.0")
    assert await store.get("/a/1.0.0") is a
    await store.get("/c/1.0.0")

    assert store.cached == 2
    assert store.fetches == 3
    assert await store.get("/a/1.0.0") is a
    assert store.fetches == 3
    await store.get("/b/1.0.0")
    assert store.fetches == 4


async def test_more_schemas_asked_at_once_than_are_kept_are_all_answered(folder, opened):
    uris = [f"/{name}/1.0.0" for name in "abcd"]
    for uri in uris:
        folder.put(uri, TITLED)
    store = await opened(folder.path, cache_size=1)

    for _ in range(3):
        schemas = await asyncio.gather(*map(store.get, uris))
        assert [schema.uri for schema in schemas] == uris

    assert store.cached == 1


async def test_latest_and_its_version_are_one_schema(folder, opened):
    folder.put("/a/1.2.0", TITLED | {"$id": "/a/1.2.0"})
    (folder.path / "a" / "latest").symlink_to("1.2.0.yaml")
    store = await opened(folder.path)

    latest = await store.get("/a/latest")

    assert latest.uri == "/a/1.2.0"
    assert await store.get("/a/1.2.0") is latest
    assert await store.get("/a/latest.yaml") is latest
    assert (store.cached, store.fetches) == (1, 1)


async def test_latest_and_its_version_asked_at_once_are_one_schema(folder, opened):
    folder.put("/a/1.2.0", TITLED | {"$id": "/a/1.2.0"})
    folder.put("/a/latest", TITLED | {"$id": "/a/1.2.0"})
    store = await opened(folder.path, cache_size=1)

    latest, version = await asyncio.gather(store.get("/a/latest"), store.get("/a/1.2.0"))

    assert latest is version
    folder.put("/b/1.0.0", TITLED)
    await store.get("/b/1.0.0")
    await store.get("/a/1.2.0")


async def test_of_latest_no_more_is_remembered_than_of_schemas(folder, opened):
    for name in "abcde":
        folder.put(f"/{name}/latest", TITLED | {"$id": f"/{name}/1.0.0"})
    store = await opened(folder.path, cache_size=2)

    for name in "abcde":
        await store.get(f"/{name}/latest")

    assert len(store._latest) <= 2


async def test_latest_is_read_again_after_a_minute(folder, opened, clock):
    folder.put("/a/latest", TITLED | {"$id": "/a/1.0.0"})
    store = await opened(folder.path, clock=clock, latest_ttl=60)
    first = await store.get("/a/latest")
    folder.put("/a/latest", TITLED | {"$id": "/a/1.1.0"})

    clock.now += 59
    assert await store.get("/a/latest") is first
    clock.now += 2
    assert (await store.get("/a/latest")).uri == "/a/1.1.0"
    assert await store.get("/a/1.0.0") is first


async def test_latest_stays_what_it_was_while_the_repository_is_down(folder, opened, clock):
    file = folder.put("/a/latest", TITLED | {"$id": "/a/1.0.0"})
    store = await opened(folder.path, clock=clock, latest_ttl=60)
    first = await store.get("/a/latest")
    file.write_text("garbage")

    for _ in range(5):
        clock.now += 61
        assert await store.get("/a/latest") is first
        assert await store.get("/a/latest") is first
    assert store.fetches == 6

    file.unlink()
    clock.now += 61
    with pytest.raises(SchemaNotFound):
        await store.get("/a/latest")


async def test_a_schema_once_had_works_for_ever(server, opened, clock):
    server.put("/a/1.0.0", TITLED)
    store = await opened(server.url, clock=clock)
    schema = await store.get("/a/1.0.0")
    await server.stop()
    clock.now += 10_000_000

    assert await store.get("/a/1.0.0") is schema
    assert await store.get("a/1.0.0.yaml") is schema


async def test_however_many_ask_a_schema_is_fetched_once(server, opened):
    server.put("/a/1.0.0", TITLED)
    server.gate.clear()
    store = await opened(server.url)

    asking = [asyncio.create_task(store.get(uri)) for uri in ["/a/1.0.0", "a/1.0.0.yaml"] * 50]
    await server.arrived.wait()
    server.gate.set()
    schemas = await asyncio.gather(*asking)

    assert server.asked == ["/a/1.0.0"]
    assert all(schema is schemas[0] for schema in schemas)


async def test_who_gives_up_does_not_take_the_schema_from_the_others(server, opened):
    server.put("/a/1.0.0", TITLED)
    server.gate.clear()
    store = await opened(server.url)
    first, second = (asyncio.create_task(store.get("/a/1.0.0")) for _ in range(2))
    await server.arrived.wait()

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    server.gate.set()

    assert (await second).title == "a"
    assert len(server.asked) == 1


async def test_a_failure_that_nobody_waits_for_is_no_noise(server, opened, caplog):
    server.put("/a/1.0.0", b"garbage")
    server.gate.clear()
    store = await opened(server.url)
    only = asyncio.create_task(store.get("/a/1.0.0"))
    await server.arrived.wait()
    only.cancel()
    with suppress(asyncio.CancelledError):
        await only

    with caplog.at_level(logging.WARNING):
        server.gate.set()
        await wait_for_flights(store)
        gc.collect()

    assert caplog.text == ""
    assert not store._flights


async def test_only_so_many_are_fetched_at_once(server, opened):
    for count in range(6):
        server.put(f"/{count}", TITLED)
    server.gate.clear()
    store = await opened(server.url, max_concurrent_fetches=2)

    asking = [asyncio.create_task(store.get(f"/{count}")) for count in range(6)]
    await server.arrived.wait()
    server.gate.set()
    await asyncio.gather(*asking)

    assert server.most_at_once <= 2
    assert len(server.asked) == 6


async def test_a_slow_repository_is_unavailable_in_time(server, opened):
    server.gate.clear()
    store = await opened(server.url, fetch_timeout=0.05)

    with pytest.raises(SchemaUnavailable, match=r"did not come within 0\.05 s"):
        await asyncio.wait_for(store.get("/a/1.0.0"), 10)


async def test_waiting_for_a_turn_counts_as_waiting(server, opened):
    server.gate.clear()
    store = await opened(server.url, fetch_timeout=0.1, max_concurrent_fetches=1)

    answers = await asyncio.wait_for(
        asyncio.gather(*(store.get(f"/{n}") for n in range(20)), return_exceptions=True), 10
    )

    assert all(isinstance(answer, SchemaUnavailable) for answer in answers)
    assert len(server.asked) < 20


async def test_stopping_answers_those_who_still_wait(server):
    server.gate.clear()
    store = SchemaStore(base_uris=[server.url])
    await store.start()
    asking = asyncio.create_task(store.get("/a/1.0.0"))
    await server.arrived.wait()

    await store.stop()

    with pytest.raises(SchemaUnavailable, match="stopping"):
        await asking


async def test_a_server_that_is_down_does_not_hide_a_folder(server, folder, opened):
    server.put("/a/1.0.0", b"", 503)
    folder.put("/a/1.0.0", TITLED)
    store = await opened(server.url, folder.path)

    assert (await store.get("/a/1.0.0")).title == "a"
    server.put("/b/1.0.0", b"", 503)
    with pytest.raises(SchemaUnavailable, match="answered 503"):
        await store.get("/b/1.0.0")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"$schema": "http://127.0.0.1:1/meta", "title": "a"}, "names no draft"),
        ({"title": "a", "properties": {"x": {"$ref": "http://h/x"}}}, "outside"),
        ({"title": "a", "properties": {"x": {"$ref": "/no/1.0.0"}}}, "has /no/1.0.0"),
        ({"title": "a", "type": "x"}, "#/type"),
        ({"title": "a", "format": "uri"}, "so needs maxLength"),
        ({"title": "a", "$ref": "#"}, "without end"),
        ({"title": "a", "pattern": "(?=x)", "maxLength": 9}, "without look-around"),
    ],
)
async def test_a_schema_that_cannot_be_used_is_unavailable_with_the_reason(
    folder, opened, document, says
):
    folder.put("/a/1.0.0", document)
    store = await opened(folder.path)

    with pytest.raises(SchemaUnusable, match=says) as caught:
        await store.get("/a/1.0.0")

    assert caught.value.pointer == "/$schema"
    assert caught.value.is_told
    assert store.cached == 0


@pytest.mark.parametrize(
    "document",
    [{"$id": "/b/1.0.0"}, {"title": "a", "properties": {"x": {"$ref": "/b/2.0.0"}}}],
    ids=["itself", "what_it_refers_to"],
)
async def test_a_schema_that_says_that_it_is_another_is_not_taken(folder, opened, document):
    folder.put("/a/1.0.0", document)
    folder.put("/b/2.0.0", {"$id": "/b/1.0.0"})
    store = await opened(folder.path)

    with pytest.raises(SchemaUnavailable, match=r"its \$id says that it is /b/1\.0\.0"):
        await store.get("/a/1.0.0")

    assert store.cached == 0


async def test_the_secure_rule_can_be_switched_off(folder, opened):
    folder.put("/a/1.0.0", {"title": "a", "format": "uri"})
    store = await opened(folder.path, allow_insecure=True)

    assert (await store.get("/a/1.0.0")).title == "a"


async def test_a_schema_refers_to_others_of_any_base_uri(folder, folder_at, tmp_path, opened):
    second = folder_at(tmp_path / "second")
    folder.put("/a/1.0.0", {"title": "a", "properties": {"x": {"$ref": "/b/1.0.0#/definitions/n"}}})
    second.put("/b/1.0.0", {"definitions": {"n": {"type": "integer"}}})
    store = await opened(folder.path, second.path)

    schema = await store.get("/a/1.0.0")

    assert schema.field("x") == "declared"
    with pytest.raises(Exception, match="should be integer"):
        schema.validate({"x": "1"})


async def test_nothing_is_fetched_but_from_the_base_uris(server, folder, opened):
    """Whatever a schema names: its meta-schema, an id, a reference."""
    far = f"{server.url}/x/1.0.0"
    documents = [
        {"$schema": far},
        {"$ref": far},
        {"$id": far, "$ref": "#/definitions/x", "definitions": {"x": {"$id": far}}},
        {"properties": {"x": {"$schema": far, "$id": far, "$ref": "2.0.0"}}},
        {"properties": {"x": {"$id": far, "properties": {"y": {"$ref": "y"}}}}},
        {"allOf": [{"$ref": f"//127.0.0.1:{server.port}/x/1.0.0"}]},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$dynamicRef": far},
        {"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveRef": far},
        {"items": {"$ref": "#/x/y"}, "x": {"y": {"$id": far, "$ref": "z"}}},
    ]
    for count, document in enumerate(documents):
        folder.put(f"/a{count}/1.0.0", {"title": "a"} | document)
    store = await opened(folder.path)

    for count in range(len(documents)):
        with suppress(SchemaUnavailable):
            (await store.get(f"/a{count}/1.0.0")).validate({})

    assert server.asked == []


async def test_absolute_uris_are_fetched_where_they_are_allowed(server, folder, opened):
    server.put("/far/1.0.0", {"title": "far"})
    folder.put("/a/1.0.0", TITLED)
    store = await opened(folder.path, allow_absolute=True)

    schema = await store.get(f"{server.url}/far/1.0.0.yaml")

    assert (schema.title, schema.uri) == ("far", f"{server.url}/far/1.0.0")
    assert (await store.get("/a/1.0.0")).title == "a"
    with pytest.raises(SchemaNotFound):
        await store.get("file:///etc/hostname")


async def test_precaching_tells_what_cannot_be_had(folder, opened):
    for count in range(40):
        folder.put(f"/a{count}/1.0.0", TITLED)
    folder.put("/bad/1.0.0", {"type": 7})
    store = await opened(folder.path, max_concurrent_fetches=4)

    problems = await store.precache(
        [*(f"/a{count}/1.0.0" for count in range(40)), "/bad/1.0.0", "/no/1.0.0", "/no/1.0.0"]
    )

    assert store.cached == 40
    assert len(problems) == 2
    assert "Schema /bad/1.0.0 cannot be used" in problems[0]
    assert "No schema repository has /no/1.0.0" in problems[1]


async def test_all_base_uris_that_cannot_be_opened_are_told_at_once(tmp_path):
    store = SchemaStore(
        base_uris=[str(tmp_path / "no"), "http://x?y=", f"file://{tmp_path}/neither"],
        allow_absolute=True,
    )

    with pytest.raises(ConfigError) as caught:
        await store.start()

    assert len(caught.value.problems) == 3


async def test_a_client_is_opened_only_where_something_is_fetched(folder, opened, server):
    file_only = await opened(folder.path)
    over_http = await opened(server.url)

    assert len(file_only._stack._exit_callbacks) == 0
    assert len(over_http._stack._exit_callbacks) == 1


class Odd:
    """A source that fails as no source should."""

    async def fetch(self, path):
        raise RuntimeError(path)


async def test_a_defect_is_logged_and_not_repeated_by_every_event(folder, opened, caplog):
    store = await opened(folder.path)
    store._repository = Repository([Odd()])

    for _ in range(3):
        with pytest.raises(SchemaUnavailable, match=r"a defect of this service \(RuntimeError\)"):
            await store.get("/a/1.0.0")

    assert store.fetches == 1
    (record,) = caplog.records
    assert record.exc_info[0] is RuntimeError
    assert record.uri == "/a/1.0.0"


async def test_precaching_outlives_a_defect(folder, opened):
    store = await opened(folder.path)
    store._repository = Repository([Odd()])

    problems = await store.precache(["/a/1.0.0"])

    assert len(problems) == 1


async def test_nothing_is_fetched_once_it_has_stopped(server):
    server.put("/a/1.0.0", TITLED)
    store = SchemaStore(base_uris=[server.url])
    await store.start()
    kept = await store.get("/a/1.0.0")

    await store.stop()

    assert await store.get("/a/1.0.0") is kept
    with pytest.raises(SchemaUnavailable, match="stopping"):
        await store.get("/b/1.0.0")
    assert server.asked == ["/a/1.0.0"]


@pytest.mark.parametrize("name", ["x" * 500_000, "\ud800"])
async def test_whatever_a_schema_holds_its_reason_can_be_sent(folder, opened, name):
    folder.put("/a/1.0.0", {"title": "a", "items": {"$ref": f"#/{name}"}})
    folder.put("/b/1.0.0", {"title": "b", "properties": {name: {"format": "uri"}}})
    folder.put("/c/1.0.0", {"title": "c", "$id": f"/{name}/2.0.0"})
    store = await opened(folder.path)

    problems = await store.precache(["/a/1.0.0", "/b/1.0.0", "/c/1.0.0"])

    assert len(problems) == 3
    assert all(len(problem.encode()) < 10_000 for problem in problems)


async def test_who_cannot_wait_gets_no_schema_and_the_next_one_does(server, opened):
    server.put("/a/1.0.0", TITLED)
    server.gate.clear()
    store = await opened(server.url)

    with pytest.raises(SchemaUnavailable, match="did not come in the time"):
        await store.get("/a/1.0.0", wait=0.05)
    server.gate.set()

    assert (await store.get("/a/1.0.0", wait=10)).title == "a"
    assert server.asked == ["/a/1.0.0"]


async def test_for_who_has_no_time_nothing_is_fetched_but_what_is_known_is_told(server, opened):
    server.put("/a/1.0.0", TITLED)
    store = await opened(server.url)
    schema = await store.get("/a/1.0.0")
    with pytest.raises(SchemaNotFound):
        await store.get("/no/1.0.0")
    asked = len(server.asked)

    with pytest.raises(SchemaUnavailable, match="did not come in the time"):
        await store.get("/b/1.0.0", wait=0)
    with pytest.raises(SchemaNotFound, match="has /no"):
        await store.get("/no/1.0.0", wait=0)
    with pytest.raises(SchemaNotFound, match="dot segments"):
        await store.get("/../1.0.0", wait=-1)

    assert await store.get("a/1.0.0.yaml", wait=0) is schema
    assert len(server.asked) == asked
    assert not store._flights
