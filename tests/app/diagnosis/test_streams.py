from app.diagnosis.streams import Configured, examine_streams
from app.streams.source import StreamSource
from tests.app.diagnosis.fakebroker import serving
from tests.app.diagnosis.webserver import web_server

GOOD = """
a.b: {schema_title: x/y}
/^c[.]/: {schema_title: x/z}
keyed: {schema_title: x/y, message_key_fields: {id: id}}
"""


async def examined(uri: object, **options) -> Configured:
    source = StreamSource(str(uri), timeout=0.5)
    facts = {"topic_prefix": "dc1.", "extra": {"own.error": {"schema_title": "own/error"}}}
    return await examine_streams(source, **(facts | {"patience": 1.0} | options))


async def test_a_good_file_gives_topics_and_titles(tmp_path):
    file = tmp_path / "streams.yaml"
    file.write_text(GOOD)

    found = await examined(file)

    assert [each.text for each in found.findings] == [
        f"{file}: 3 streams, and 1 regular expression for others."
    ]
    assert [(w.name, w.stream, w.keyed) for w in found.wanted] == [
        ("dc1.a.b", "a.b", False),
        ("dc1.keyed", "keyed", True),
        ("dc1.own.error", "own.error", False),
    ]
    assert found.titles == {"x/y": ["a.b", "keyed"], "x/z": ["/^c[.]/"]}


async def test_entries_that_are_unfit_are_a_problem_in_a_file(tmp_path):
    file = tmp_path / "streams.yaml"
    file.write_text("a: {schema_title: x}\nb: {}\n")

    found = await examined(file)

    assert [each.level for each in found.findings] == ["ok", "problem"]
    assert found.findings[1].text.startswith("1 entry cannot be used: stream b")
    assert found.wanted is not None


async def test_entries_that_are_unfit_are_left_out_of_a_remote_configuration():
    async with web_server({"/s": b"a: {schema_title: x}\nb: {}\n"}) as uri:
        found = await examined(f"{uri}/s")

    assert [each.level for each in found.findings] == ["ok", "warning"]


async def test_a_file_that_is_not_there_is_a_problem(tmp_path):
    found = await examined(tmp_path / "none.yaml")

    assert [each.level for each in found.findings] == ["problem"]
    assert found.wanted is None
    assert found.titles == {}


async def test_a_remote_configuration_that_does_not_come_is_given_up():
    async def silent(reader, writer):
        await reader.read()
        await reader.read()

    async with serving(silent) as address:
        found = await examined(f"http://{address}/s")

    assert "within 0.5 s" in found.findings[0].text
    assert "answers 503" in found.findings[0].advice


async def test_many_problems_are_counted(tmp_path):
    file = tmp_path / "streams.yaml"
    file.write_text("good: {schema_title: x}\n" + "".join(f"b{n}: {{}}\n" for n in range(30)))

    found = await examined(file)

    assert found.findings[1].text.endswith("and 20 more.")
