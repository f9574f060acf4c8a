import pytest

from migration.compat.capsules import event_of, event_side, old_side
from migration.compat.comparison import compare
from migration.compat.sides import UnusableSchema
from tests.migration.compat.sides import check_examples, side

OLD = {
    "properties": {
        "page": {"type": "integer", "required": True},
        "action": {"type": "string", "enum": ["save", "abort"]},
    }
}
NEW = {
    "type": "object",
    "required": ["event", "dt"],
    "properties": {
        "dt": {"type": "string", "format": "date-time"},
        "event": {
            "type": "object",
            "required": ["page"],
            "properties": {
                "page": {"type": "integer", "maximum": 9007199254740991},
                "action": {"type": "string", "enum": ["save", "abort"]},
            },
        },
    },
}
EXAMPLE = {"dt": "2026-01-31T12:30:00Z", "event": {"page": 1}}


def findings():
    comparison = compare(old_side("old", OLD), event_side(side(NEW), EXAMPLE))
    check_examples(comparison)
    return {
        (one.difference.pointer, one.difference.keyword): (
            one.backward.verdict,
            one.forward.verdict,
        )
        for one in comparison.findings
    }


def test_the_old_side_judges_as_the_old_system_did():
    old = old_side("old", OLD)

    assert old.takes({"event": {"page": 1}})
    assert old.takes({"event": "anything"})  # the wiki's schema did not say that it is an object
    assert old.takes({})
    assert not old.takes({"event": {"page": 1.0}})
    assert not old.takes({"event": {"page": 1, "more": 1}})


def test_the_new_side_judges_what_stands_beside_the_event_by_an_example():
    new = event_side(side(NEW), EXAMPLE)

    assert new.takes({"event": {"page": 1.0, "more": 1}})
    assert not new.takes({})
    assert not new.takes({"event": {"page": 2**53}})


def test_a_schema_converted_as_it_was_really_done_differs_in_four_ways():
    assert findings() == {
        ("/event", "type"): ("breaks", "compatible"),
        ("/event", "required"): ("breaks", "compatible"),
        ("/event", "additionalProperties"): ("compatible", "breaks"),
        ("/event/page", "type"): ("compatible", "breaks"),
        ("/event/page", "maximum"): ("breaks", "compatible"),
    }


def test_the_old_engine_let_a_newline_through_at_the_end_of_a_pattern():
    text = {"type": "string", "pattern": "^a{3}$", "required": True}
    old = old_side("old", {"type": "object", "properties": {"a": text}})
    new = side(
        {
            "type": "object",
            "properties": {
                "event": {
                    "type": "object",
                    "properties": {"a": {"type": "string", "maxLength": 3}},
                }
            },
        }
    )

    comparison = compare(old, event_side(new, {}))

    check_examples(comparison)
    assert old.takes({"event": {"a": "aaa\n"}})
    assert comparison.verdict("backward") != "compatible"


def test_a_listed_array_of_5_may_hold_5_0_which_the_old_system_refused():
    numbers = {"type": "array", "items": {"type": "integer"}, "required": True}
    old = old_side("old", {"type": "object", "properties": {"a": numbers}})
    event = {"type": "object", "required": ["a"], "properties": {"a": {"enum": [[5]]}}}
    new = side({"type": "object", "required": ["event"], "properties": {"event": event}})

    comparison = compare(old, event_side(new, {"event": {"a": [5]}}))

    check_examples(comparison)
    assert new.takes({"event": {"a": [5.0]}})
    assert not old.takes({"event": {"a": [5.0]}})
    here = [one for one in comparison.findings if one.difference.pointer == "/event/a"]
    assert {one.forward.verdict for one in here} != {"compatible"}


def test_what_is_compared_of_a_line_is_its_event():
    assert event_of({"event": {"page": 1}, "schema": "Edit", "wiki": "x"}) == {"event": {"page": 1}}
    assert event_of({"schema": "Edit"}) == {}


@pytest.mark.parametrize("schema", [{"type": 5}, {"properties": []}, {"type": "text"}])
def test_what_is_no_schema_of_draft_3_is_named_with_the_reason(schema):
    with pytest.raises(UnusableSchema, match=r"^old\.json is no schema of draft 3: "):
        old_side("old.json", schema)


def test_a_schema_that_ties_the_event_to_the_rest_cannot_be_compared():
    with pytest.raises(UnusableSchema, match="says of whole events"):
        event_side(side({**NEW, "anyOf": [{"required": ["dt"]}]}), EXAMPLE)
