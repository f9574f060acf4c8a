"""The routes that FastAPI serves: operations, streams, schemas, documentation."""

import json

import pytest
import yaml

from app import __version__
from app.core.errors import SinkUnavailable
from app.sinks.memory import MemorySink

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}


async def test_info_says_what_this_is(client):
    assert (await client.get("/_info")).json()["version"] == __version__
    assert (await client.get("/_info/name")).json() == {"name": "sluiceway"}
    assert (await client.get("/_info/version")).json() == {"version": __version__}
    assert (await client.get("/_info/nope")).status_code == 404
    assert (await client.get("/_info/home")).headers["location"] == "/?doc"


async def test_health_and_readiness(client):
    assert (await client.get("/healthz")).text == "ok\n"
    assert (await client.get("/readyz")).text == "ok\n"

    client.app.drain()

    assert (await client.get("/healthz")).status_code == 200
    draining = await client.get("/readyz")
    assert draining.status_code == 503
    assert "stopping" in draining.text
    assert (await client.post("/v1/events", json=GOOD)).status_code == 201


async def test_without_any_stream_configuration_nothing_is_ready_and_events_are_503(
    serving, tmp_path
):
    settings = {
        "schemas": {"base_uris": [str(tmp_path)]},
        "streams": {"uri": "http://127.0.0.1:9/streams", "retries": 0, "timeout": 1},
    }
    async with serving(**settings) as client:
        assert (await client.get("/readyz")).status_code == 503
        answer = await client.post("/v1/events", json=GOOD)
        assert answer.status_code == 503
        assert answer.json()["error"][0]["reason"] == "streams_unavailable"
        assert (await client.get("/v1/stream-configs")).status_code == 503


async def test_test_events_take_the_normal_way(client):
    answer = await client.get("/v1/_test/events")

    assert answer.status_code == 201
    assert client.journal.stored


async def test_test_events_tell_of_a_failing_sink(serving):
    async with serving(sink=MemorySink(answer=lambda _: SinkUnavailable("Full."))) as client:
        assert (await client.get("/v1/_test/events")).status_code == 503


async def test_test_events_are_off_unless_configured(serving, tmp_path):
    (tmp_path / "streams.yaml").write_text("a.b: {schema_title: a/b}")
    settings = {
        "schemas": {"base_uris": [str(tmp_path)]},
        "streams": {"uri": str(tmp_path / "streams.yaml")},
    }
    async with serving(**settings) as client:
        assert (await client.get("/v1/_test/events")).status_code == 404


async def test_stream_configs_are_listed_and_listing_changes_nothing(client):
    everything = (await client.get("/v1/stream-configs")).json()
    some = (await client.get("/v1/stream-configs/demo.button.click|no.such")).json()
    more = (await client.get("/v1/stream-configs/demo.button.click,demo.order.placed")).json()

    assert set(some) == {"demo.button.click"}
    assert set(more) == {"demo.button.click", "demo.order.placed"}
    assert some["demo.button.click"]["schema_title"] == "demo/button/click"
    assert (await client.get("/v1/stream-configs")).json() == everything
    event = GOOD | {"meta": {"stream": "demo.team.red"}}
    assert (await client.post("/v1/events", json=event)).status_code in (201, 400)
    assert (await client.get("/v1/stream-configs")).json() == everything


async def test_schemas_are_shown_as_json_or_yaml(client):
    as_json = await client.get("/v1/schemas/demo/button/click/1.0.0")
    as_yaml = await client.get(
        "/v1/schemas/demo/button/click/1.0.0.yaml", headers={"accept": "application/yaml"}
    )

    assert as_json.json()["title"] == "demo/button/click"
    assert yaml.safe_load(as_yaml.text) == as_json.json()
    assert as_yaml.headers["content-type"].startswith("application/yaml")


@pytest.mark.parametrize(
    "uri", ["no/such/1.0.0", "../../etc/passwd", "..%2f..%2fetc/passwd", "%00", "http://x/1.0.0"]
)
async def test_other_uris_are_404_and_say_so_safely(client, uri):
    answer = await client.get(f"/v1/schemas/{uri}")

    assert answer.status_code == 404
    (item,) = answer.json()["error"]
    assert item["event"] is None


async def test_openapi_tells_of_every_route_that_answers(client):
    spec = (await client.get("/?spec")).json()

    assert spec["openapi"].startswith("3.")
    for path in ("/v1/events", "/beacon/event", "/event.gif", "/metrics", "/readyz", "/_info"):
        assert path in spec["paths"]
    assert set(spec["paths"]["/v1/events"]) == {"post"}
    statuses = set(spec["paths"]["/v1/events"]["post"]["responses"])
    assert statuses >= {"201", "202", "207", "400", "413", "415", "503", "504"}
    assert statuses >= {"401", "403", "429"}
    schemes = spec["components"]["securitySchemes"]
    assert {name for way in spec["paths"]["/v1/events"]["post"]["security"] for name in way} == {
        *schemes
    }
    references = [part.split('"')[0] for part in json.dumps(spec).split('"$ref": "#/')[1:]]
    for reference in references:
        node = spec
        for part in reference.split("/"):
            node = node[part]


@pytest.mark.parametrize("path", ["/?doc", "/docs"])
async def test_the_page_for_people_needs_nothing_from_elsewhere(client, path):
    answer = await client.get(path)

    assert answer.status_code == 200
    assert "/v1/events" in answer.text
    assert "<script" not in answer.text
    assert "//" not in answer.text.replace("application/", "")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_robots_are_asked_to_stay_away(client):
    assert "Disallow: /" in (await client.get("/robots.txt")).text


@pytest.mark.parametrize("path", ["/", "/nope", "/v1", "/v1/events/x", "/beacon", "/docs/x"])
async def test_unknown_paths_are_404_with_a_safe_body(client, path):
    answer = await client.get(path)

    assert answer.status_code == 404
    assert isinstance(answer.json()["error"], list)


async def test_every_answer_with_a_body_forbids_sniffing(client):
    for path in ("/", "/_info", "/v1/events", "/docs"):
        answer = await client.get(path)

        assert answer.content
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_metrics_count_outcomes_with_bounded_labels(client):
    await client.post("/v1/events", json=[GOOD, GOOD, GOOD | {"button": 7}])
    for number in range(50):
        event = {"$schema": f"/x/{number}/1.0.0", "meta": {"stream": f"made.up.{number}"}}
        await client.post("/v1/events", json=event)
    await client.get("/nope/whatever")

    text = (await client.get("/metrics")).text

    def value(line):
        return float(next(row for row in text.splitlines() if row.startswith(line)).split()[-1])

    stream = 'stream="demo.button.click"'
    series = "sluiceway_events_total{reason="
    assert value(f'{series}"accepted",source="events",status="success",{stream}}}') == 2
    assert value(f'{series}"schema_violation",source="events",status="invalid",{stream}}}') == 1
    assert (
        value(f'{series}"unknown_stream",source="events",status="invalid",stream="other"}}') == 50
    )
    assert value('sluiceway_error_events_total{status="produced"}') == 51
    assert "made.up" not in text
    assert "whatever" not in text
    assert 'route="/v1/events"' in text
    assert "sluiceway_streams_configured" in text
