import copy

from legacy.strict.capsuleschema import encapsulated


def test_events_are_closed_at_their_top_only():
    schema = encapsulated({"properties": {"o": {"type": "object"}}})

    assert schema["additionalProperties"] is False
    assert schema["properties"]["event"] == {
        "additionalProperties": False,
        "properties": {"o": {"type": "object"}},
    }


def test_a_schema_may_open_its_event_itself():
    inner = {"properties": {}, "additionalProperties": {"type": "string"}}

    assert encapsulated(inner)["properties"]["event"] == inner


def test_what_the_capsule_says_of_events_is_replaced():
    event = encapsulated({"properties": {}})["properties"]["event"]

    assert "required" not in event
    assert "type" not in event


def test_no_schema_inside_chooses_its_draft():
    draft_4 = "http://json-schema.org/draft-04/schema#"
    inner = {
        "$schema": draft_4,
        "properties": {
            "$schema": {"$schema": draft_4, "type": "string"},
            "enum": {"$schema": draft_4, "enum": [{"$schema": "kept"}]},
        },
    }
    before = copy.deepcopy(inner)

    event = encapsulated(inner)["properties"]["event"]

    assert event["properties"] == {
        "$schema": {"type": "string"},
        "enum": {"enum": [{"$schema": "kept"}]},
    }
    assert "$schema" not in event
    assert inner == before
