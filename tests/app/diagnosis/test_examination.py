import asyncio

import pytest

from app.diagnosis.examination import _Examination, diagnose
from app.settings import Settings
from tests.app.diagnosis.fakebroker import FakeBroker, listening, partition, serving
from tests.app.diagnosis.webserver import web_server

MACHINE = {"clock", "limits"}
"""Areas that depend on where the tests run."""


def kafka(*servers: object, **more: object) -> dict[str, object]:
    return {"type": "kafka", "bootstrap_servers": [str(each) for each in servers], **more}


async def found_by(settings: Settings, **options: float):
    found = await diagnose(settings, **options)
    assert {each.area for each in found} >= MACHINE
    return [each for each in found if each.area not in MACHINE]


async def silent(reader, writer):
    while await reader.read(1000):
        pass


async def test_the_demo_has_no_problem_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    found = await found_by(Settings())

    assert [(each.level, each.area) for each in found] == [
        ("warning", "settings"),
        ("ok", "settings"),
        ("ok", "streams"),
        ("ok", "schemas"),
        ("ok", "schemas"),
        ("ok", "sink"),
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("headers", "warned"), [(None, True), (["x-client-ip"], False)], ids=["both", "one"]
)
async def test_proxies_that_are_believed_by_two_headers_are_warned_of(headers, warned):
    given = {} if headers is None else {"client_address_headers": headers}
    http = {"trusted_proxies": ["10.0.0.0/8"]} | given

    found = await found_by(Settings(http=http))

    told = [each for each in found if "X-Forwarded-For" in each.text]
    assert [each.level for each in told] == (["warning"] if warned else [])
    assert all("client_address_headers" in each.advice for each in told)


async def test_a_cluster_with_the_topics_of_the_streams_has_no_problem():
    names = ["demo.button.click", "demo.order.placed", "eventlogging_DemoButtonClick"]
    async with listening(FakeBroker()) as broker:
        broker.topics = {name: [partition()] for name in [*names, "sluiceway.error"]}
        broker.configs = {name: {"min.insync.replicas": "1"} for name in broker.topics}
        found = await found_by(Settings(sink=kafka(broker.address)))

    assert [each for each in found if each.level == "problem"] == []
    assert [each.text for each in found if each.area == "topics"] == [
        "4 topics with 4 partitions, replication factor 1.",
        "They are configured for what this service produces.",
    ]


async def test_every_part_is_told_also_when_all_are_wrong(tmp_path):
    (tmp_path / "file").write_text("")
    settings = Settings(
        schemas={"base_uris": [str(tmp_path / "none")]},
        streams={"uri": str(tmp_path / "none.yaml")},
        legacy={"mapping": str(tmp_path / "none.yaml")},
        sink=kafka("127.0.0.1:1"),
        spool={"folder": str(tmp_path / "file")},
    )

    found = await found_by(settings)

    problems = {each.area for each in found if each.level == "problem"}
    assert problems == {"settings", "streams", "schemas", "kafka", "spool"}
    assert all(each.advice for each in found if each.level != "ok")


async def test_what_one_area_tells_is_not_told_by_the_settings_too(tmp_path):
    settings = Settings(
        schemas={"base_uris": [str(tmp_path / "none")]},
        streams={"uri": str(tmp_path / "none.yaml")},
        error_stream={"name": None},
    )

    found = await found_by(settings)

    assert [each.level for each in found if each.area == "settings"] == ["ok"]


async def test_nothing_that_is_silent_holds_it_up():
    async with serving(silent) as address:
        settings = Settings(
            schemas={"base_uris": [f"http://{address}/x"], "precache_uris": ["/a/1.0.0"]},
            streams={"uri": f"http://{address}/s"},
            sink=kafka(address),
        )
        began = asyncio.get_running_loop().time()
        found = await found_by(settings, step=0.2, patience=10.0)
        took = asyncio.get_running_loop().time() - began

    assert took < 9.0
    problems = {each.area for each in found if each.level == "problem"}
    assert {"streams", "schemas", "kafka"} <= problems


async def test_what_was_found_in_time_is_told_when_time_is_over():
    async with serving(silent) as address, listening(FakeBroker()) as broker:
        settings = Settings(
            schemas={"base_uris": ["."]},
            streams={"uri": f"http://{address}/s"},
            sink=kafka(broker.address),
        )
        found = await diagnose(settings, step=5.0, patience=1.0)

    of_kafka = [each for each in found if each.area == "kafka"]
    assert of_kafka[0].text.startswith(str(broker.address))
    assert "Not all could be looked at within 1 s" in of_kafka[-1].text


async def test_a_remote_configuration_that_works_is_judged_like_a_file():
    async with web_server({"/s": b"a: {schema_title: demo/button/click}"}) as uri:
        settings = Settings(
            schemas={"base_uris": ["app/demo/schemas"]},
            streams={"uri": f"{uri}/s"},
            sink={"type": "memory"},
        )
        found = await found_by(settings)

    assert "1 schema of streams can be had." in [each.text for each in found]


@pytest.mark.parametrize(
    "changes",
    [{"security_protocol": "SASL_SSL"}, {"tls": {"ca_file": "none.pem"}}],
    ids=["no credentials", "no certificates"],
)
async def test_settings_that_no_broker_could_be_reached_with_are_told_once(changes):
    found = await found_by(Settings(sink=kafka("127.0.0.1:1", **changes)))

    assert "problem" in [each.level for each in found if each.area == "settings"]
    assert [each.level for each in found if each.area == "kafka"] == ["warning"]


async def test_a_defect_in_one_part_is_told_as_one():
    async def broken():
        raise ZeroDivisionError("oops")
        yield

    (found,) = await _Examination(Settings(), 1.0, 1.0)._bounded("clock", broken())

    assert found.level == "problem"
    assert "ZeroDivisionError: oops" in found.text
    assert "defect" in found.advice
