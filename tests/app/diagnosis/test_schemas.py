import asyncio

import pytest

from app.diagnosis.schemas import examine_repositories, examine_schemas
from app.diagnosis.web import Visit
from app.schemas.store import SchemaStore

SCHEMA = """
title: {title}
$id: /{title}/1.0.0
$schema: https://json-schema.org/draft/2020-12/schema
type: object
"""


@pytest.fixture
def repository(tmp_path):
    """Make a schema repository of these titles, each with version 1.0.0 and latest."""

    def repository(*titles: str) -> str:
        for title in titles:
            folder = tmp_path / "schemas" / title
            folder.mkdir(parents=True)
            for name in ("1.0.0", "latest"):
                (folder / name).write_text(SCHEMA.format(title=title))
        return str(tmp_path / "schemas")

    return repository


async def examined(base: str, *, precached=(), titles=None, patience=5.0):
    store = SchemaStore(base_uris=[base], fetch_timeout=2.0)
    await store.start()
    try:
        return await examine_schemas(
            store, precached=precached, titles=titles or {}, patience=patience
        )
    finally:
        await store.stop()


async def test_schemas_that_can_be_had_are_counted(repository):
    found = await examined(
        repository("a/b", "c/d"), precached=["/a/b/1.0.0"], titles={"a/b": ["s"], "c/d": ["t"]}
    )

    assert [(each.level, each.text) for each in found] == [
        ("ok", "1 schema to precache can be had."),
        ("ok", "2 schemas of streams can be had."),
    ]


async def test_a_title_without_a_schema_names_its_streams(repository):
    found = await examined(repository("a/b"), titles={"a/b": ["s"], "c/d": ["t", "u"]})

    assert found[0].level == "warning"
    assert "latest version of c/d, a schema of the streams t, u." in found[0].text


async def test_a_schema_that_is_broken_is_a_problem(repository, tmp_path):
    base = repository("a/b")
    (tmp_path / "schemas" / "a" / "b" / "latest").write_text("type: [")

    found = await examined(base, titles={"a/b": ["s"]})

    assert [each.level for each in found] == ["problem"]
    assert "/a/b/latest" in found[0].text


async def test_a_schema_to_precache_that_is_missing_is_a_problem(repository):
    found = await examined(repository("a/b"), precached=["/a/b/1.0.0", "/a/b/2.0.0"])

    assert [each.level for each in found] == ["problem"]
    assert "/a/b/2.0.0" in found[0].text


class SlowStore:
    """Never answers."""

    async def get(self, uri: str) -> None:
        await asyncio.Event().wait()


async def test_what_does_not_come_in_time_is_counted():
    titles = {f"t{number}": ["s"] for number in range(30)}

    (found,) = await examine_schemas(SlowStore(), precached=[], titles=titles, patience=0.1)

    assert found.level == "warning"
    assert found.text.startswith("30 schemas could not be looked at")


async def test_folders_and_servers_are_looked_at_each_by_itself(repository, tmp_path):
    (tmp_path / "file").write_text("")
    bases = [
        repository(),
        str(tmp_path / "none"),
        str(tmp_path / "file"),
        "https://user:word@up/x",
        "https://down/x",
        "https://broken/x",
    ]
    (tmp_path / "schemas").mkdir()
    visits = {
        "https://up": Visit("https://up", 0.012, 404),
        "https://down": Visit("https://down", 1.0, trouble="no answer"),
        "https://broken": Visit("https://broken", 1.0, 502),
    }

    found = await examine_repositories(bases, visits)

    assert [each.level for each in found] == [
        "ok",
        "problem",
        "problem",
        "ok",
        "problem",
        "warning",
    ]
    assert found[3].text == "https://up/x answers (12 ms)."
