import io
import json
import sys

import pytest
import yaml

from app.core.yaml import parse_yaml
from legacy.mapping import Mapping
from migration.commands import convert, materialize
from tests.migration.support import arguments

OLD = {
    "title": "Click",
    "description": "Somebody clicked.",
    "properties": {
        "button": {"type": "string", "required": True, "description": "Which one."},
        "count": {"type": "integer"},
        "where": {
            "type": "object",
            "required": True,
            "properties": {"x": {"type": "number", "required": True}},
        },
        "tags": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string", "required": True}},
            },
        },
    },
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wiki").mkdir()
    (tmp_path / "wiki" / "Click-7.json").write_text(json.dumps(OLD))
    return tmp_path


def run(*given):
    return convert.run(arguments("convert", *given, "--repository", "repository"))


def current(here, name="click"):
    path = here / "repository" / "analytics" / "legacy" / name / "current.yaml"
    return parse_yaml(path.read_bytes()) if path.is_file() else None


def event_of(document):
    return document["allOf"][1]["properties"]["event"]


def test_flags_become_lists_in_nested_objects_and_items(here):
    assert run("wiki/Click-7.json") == 0

    event = event_of(current(here))
    assert event["required"] == ["button", "where"]
    assert event["properties"]["where"]["required"] == ["x"]
    assert event["properties"]["tags"]["items"]["required"] == ["name"]
    assert list(event["properties"]) == list(OLD["properties"])
    assert event["properties"]["button"]["description"] == "Which one."
    assert "additionalProperties" not in event


def test_a_closed_event_keeps_refusing_what_it_does_not_name(here):
    run("wiki/Click-7.json", "--closed-event", "--numeric-bounds", "0:9")

    event = event_of(current(here))
    assert event["additionalProperties"] is False
    assert event["properties"]["count"] == {"type": "integer", "minimum": 0, "maximum": 9}


@pytest.mark.parametrize(
    "answer",
    [
        OLD,
        {
            "query": {
                "pages": {
                    "9": {
                        "title": "Schema:Click",
                        "revisions": [{"revid": 7, "*": json.dumps(OLD)}],
                    }
                }
            }
        },
        {
            "query": {
                "pages": [
                    {
                        "title": "Schema:Click",
                        "revisions": [
                            {"revid": 7, "slots": {"main": {"content": json.dumps(OLD)}}}
                        ],
                    }
                ]
            }
        },
    ],
)
def test_a_file_and_every_answer_of_the_wiki_become_the_same(here, answer, capsys, monkeypatch):
    run("wiki/Click-7.json")
    expected = current(here)
    text = io.TextIOWrapper(io.BytesIO(json.dumps(answer).encode()))
    monkeypatch.setattr(sys, "stdin", text)

    assert run("-", "--name", "Click", "--revision", "7") == 0
    assert current(here) == expected


def test_mapping_and_streams_are_written_once_and_keep_what_is_there(here):
    (here / "mapping.yaml").write_text("# ours\nschemas:\n  Old: /analytics/legacy/old/1.0.0\n")
    (here / "streams.yaml").write_text("# ours too\nother:\n  schema_title: other\n")
    where = ("--mapping", "mapping.yaml", "--streams", "streams.yaml")

    run("wiki/Click-7.json", *where)
    once = [(here / name).read_text() for name in ("mapping.yaml", "streams.yaml")]
    run("wiki/Click-7.json", *where)
    twice = [(here / name).read_text() for name in ("mapping.yaml", "streams.yaml")]

    assert once == twice
    assert once[0].startswith("# ours\n")
    assert once[1].startswith("# ours too\n")
    mapping = Mapping.load(here / "mapping.yaml")
    assert mapping.target("Click", None).schema_uri == "/analytics/legacy/click/1.0.0"
    assert mapping.target("Old", None).schema_uri == "/analytics/legacy/old/1.0.0"
    streams = yaml.safe_load(once[1])
    assert streams["eventlogging_Click"]["schema_title"] == "analytics/legacy/click"
    assert streams["other"] == {"schema_title": "other"}


def test_of_a_folder_the_newest_revision_of_each_is_taken(here, capsys):
    (here / "wiki" / "Click-9.json").write_text(json.dumps(OLD | {"description": "Newer."}))
    (here / "wiki" / "Bad-1.json").write_text("no json")

    assert run("wiki", "--json") == 1

    told = {each["source"]: each for each in map(json.loads, capsys.readouterr().out.splitlines())}
    assert current(here)["description"] == "Newer."
    assert "not JSON" in told["wiki/Bad-1.json"]["problem"]
    assert told["wiki/Click-9.json"]["revision"] == 9


def test_what_people_may_have_written_is_not_overwritten_unless_asked(here, capsys):
    run("wiki/Click-7.json")
    path = here / "repository" / "analytics" / "legacy" / "click" / "current.yaml"
    path.write_text(path.read_text() + "# by hand\n")

    refused = run("wiki/Click-7.json")
    kept = path.read_text()
    replaced = run("wiki/Click-7.json", "--overwrite")

    assert (refused, replaced) == (1, 0)
    assert kept.endswith("# by hand\n")
    assert not path.read_text().endswith("# by hand\n")


def test_what_is_released_never_changes(here, capsys):
    run("wiki/Click-7.json", "--write-capsule")
    materialize.run(arguments("materialize", "repository"))
    capsys.readouterr()

    assert run("wiki/Click-7.json") == 0  # the same
    assert run("wiki/Click-7.json", "--closed-event", "--overwrite") == 1
    assert "never changes" in capsys.readouterr().out
    assert run("wiki/Click-7.json", "--closed-event", "--overwrite", "--version", "1.1.0") == 0


def test_a_dry_run_writes_nothing_and_shows_the_schema(here, capsys):
    assert run("wiki/Click-7.json", "--dry-run", "--mapping", "mapping.yaml") == 0

    assert parse_yaml(capsys.readouterr().out.encode())["title"] == "analytics/legacy/click"
    assert not (here / "repository").exists()
    assert not (here / "mapping.yaml").exists()


def test_a_real_event_becomes_the_example(here):
    event = {"button": "real", "where": {"x": 1}}
    (here / "event.json").write_text(json.dumps(event))

    run("wiki/Click-7.json", "--example", "event.json")

    assert current(here)["examples"][0]["event"] == event


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["wiki/Click-7.json", "--version", "one"], "--version"),
        (["wiki/Click-7.json", "--numeric-bounds", "many"], "bounds"),
        (["wiki/Click-7.json", "--example", "nowhere"], "--example"),
        (["wiki/Click-7.json", "--capsule", "/no/such/1.0.0"], "no released fragment"),
        (["wiki", "--name", "Click"], "--name goes with one schema"),
        (["-", "-"], "stdin"),
    ],
)
def test_a_wrong_call_ends_with_2(here, given, told, capsys):
    assert run(*given) == 2

    assert told in capsys.readouterr().err
