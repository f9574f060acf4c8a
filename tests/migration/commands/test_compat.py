import argparse
import json

import pytest

from migration.commands.compat import add_arguments, run

OLD = {"type": "object", "properties": {"a": {"type": "string"}}}
LONGER = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
SHORT = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}}
MORE = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "null"}}}
ON_WIKI = {"properties": {"page": {"type": "integer", "required": True}}}
MIGRATED = {
    "type": "object",
    "required": ["event"],
    "properties": {
        "event": {
            "type": "object",
            "required": ["page"],
            "properties": {"page": {"type": "integer"}},
        }
    },
}


@pytest.fixture
def compat(tmp_path, capsys):
    """Compare two schemas with more arguments; return exit code, output and errors."""

    def compat(old, new, *more):
        for name, schema in (("old.json", old), ("new.json", new)):
            (tmp_path / name).write_text(json.dumps(schema))
        files = [str(tmp_path / "old.json"), str(tmp_path / "new.json")]
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        code = run(parser.parse_args([*files, *more]))
        return code, *capsys.readouterr()

    return compat


@pytest.mark.parametrize(
    ("old", "new", "direction", "code"),
    [
        (OLD, LONGER, "backward", 0),
        (OLD, LONGER, "forward", 1),
        (OLD, LONGER, "both", 1),
        (OLD, SHORT, "backward", 1),
        (OLD, SHORT, "forward", 0),
        (OLD, OLD, "both", 0),
    ],
)
def test_the_exit_code_is_about_the_direction_asked_for(compat, old, new, direction, code):
    assert compat(old, new, "--direction", direction)[0] == code


def test_a_new_property_breaks_unless_only_listed_ones_count(compat):
    assert compat(OLD, MORE)[0] == 1
    assert compat(OLD, MORE, "--declared")[0] == 0


def test_what_cannot_be_decided_is_not_called_compatible(compat):
    def event(pattern):
        return {"properties": {"a": {"type": "string", "pattern": pattern}}}

    code, said, _ = compat(event("^aa$"), event("^a+$"))

    assert code == 1
    assert "backward cannot decide" in said


def test_json_is_printed_if_asked_for(compat):
    code, said, _ = compat(OLD, SHORT, "--json")

    made = json.loads(said)
    assert code == 1
    assert made["old"].endswith("old.json")
    assert made["differences"][0]["backward"]["example"]["keyword"] == "maxLength"


def test_real_events_count_for_the_exit_code_too(compat, tmp_path):
    events = tmp_path / "events.jsonl"
    events.write_text('{"a": "x"}\n{"a": "x", "b": 1}\n')
    arguments = ("--declared", "--against", str(events))

    code, said, _ = compat(OLD, MORE, *arguments)

    assert code == 1
    assert "1 both, 1 old only, 0 new only, 0 neither" in said
    assert compat(OLD, MORE, *arguments, "--direction", "forward")[0] == 0


def test_an_on_wiki_schema_is_compared_by_the_event_of_capsules(compat, tmp_path):
    events = tmp_path / "events.jsonl"
    capsule = {"schema": "Page", "revision": 1, "wiki": "x", "event": {"page": 1, "more": 1}}
    events.write_text(json.dumps(capsule) + "\n")

    code, said, _ = compat(ON_WIKI, MIGRATED, "--json", "--against", str(events))

    made = json.loads(said)
    assert code == 1
    assert {(one["pointer"], one["keyword"]) for one in made["differences"]} == {
        ("/event", "type"),
        ("/event", "required"),
        ("/event", "additionalProperties"),
        ("/event/page", "type"),
    }
    assert made["against"]["events"]["new_only"] == 1


def test_an_on_wiki_schema_without_flags_has_to_be_called_one(compat):
    plain = {"properties": {"page": {"type": "integer"}}}

    told = json.loads(compat(plain, MIGRATED, "--on-wiki", "--json")[1])
    taken = json.loads(compat(plain, MIGRATED, "--json")[1])

    assert "/event/page" in {one["pointer"] for one in told["differences"]}
    assert "/page" in {one["pointer"] for one in taken["differences"]}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (OLD, {"type": 5}, "new.json cannot be used"),
        (OLD, ON_WIKI, "NEW has to be modern"),
        (OLD, [1], "holds no object"),
        ({"$ref": "/nowhere/1.0.0"}, OLD, "old.json cannot be used"),
        (ON_WIKI, {"type": "object", "required": ["a"], "properties": {"a": False}}, "No event"),
    ],
)
def test_what_cannot_be_compared_ends_with_2_and_the_reason(compat, old, new, said):
    code, printed, error = compat(old, new)

    assert (code, printed) == (2, "")
    assert error.startswith("sluiceway migrate compat: ")
    assert said in error


def test_events_that_are_not_there_end_with_2(compat, tmp_path):
    code, printed, error = compat(OLD, SHORT, "--against", str(tmp_path / "none.jsonl"))

    assert (code, printed) == (2, "")
    assert "none.jsonl" in error
