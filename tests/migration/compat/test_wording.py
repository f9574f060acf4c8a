import pytest

from migration.compat.differences import Difference
from migration.compat.kinds import STRICT_INTEGER
from migration.compat.wording import MAX_SHOWN, changed, for_consumers, for_producers, undeclared
from tests.migration.compat.sides import compared


@pytest.mark.parametrize(
    ("keyword", "old", "new", "expected"),
    [
        ("properties", None, {"type": ["string"], "maxLength": 5}, "the property is new: type str"),
        ("properties", None, True, "the property is new: it may be anything"),
        ("properties", True, None, "the property is no longer listed"),
        ("required", None, True, "the property is now required"),
        ("required", True, None, "the property is no longer required"),
        ("enum", ["a", "b"], ["b", "c"], "the values that are taken: no longer a, now also c"),
        ("enum", ["a", "b"], ["b", "a"], "the values' order"),
        ("maxLength", None, 64, "maxLength is new: 64 (how long texts may be)"),
        ("maxLength", 64, None, "maxLength is gone; it was 64 (how long texts may be)"),
        ("maxLength", 64, 9, "maxLength changed from 64 to 9 (how long texts may be)"),
        ("type", ["string"], ["string", "null"], 'type changed from string to ["string", "null"]'),
        (
            "type",
            [STRICT_INTEGER],
            ["integer"],
            "type changed from strict integer to integer (a strict integer is 5 and not 5.0)",
        ),
        ("proof", None, None, "the schemas differ in effect"),
        ("pattern", None, ["^a$"], "pattern is new: ^a$"),
    ],
)
def test_a_change_is_said_in_words(keyword, old, new, expected):
    assert changed(Difference(("a",), keyword, old, new)).startswith(expected)


def test_long_values_are_cut():
    said = changed(Difference((), "enum", None, ["x" * 50] * 9))

    assert "…" in said
    assert len(said) < MAX_SHOWN + 60


def test_producers_and_consumers_are_told_what_it_means_for_them():
    [finding] = compared(
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}},
    ).findings

    assert for_producers(finding).startswith(
        "Producers: events that were valid are refused. The example is refused at /a: "
    )
    assert for_consumers(finding) == "Consumers: nothing new comes."


def test_a_break_by_unlisted_properties_only_is_told_as_such():
    [finding] = compared(
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": {}, "b": {"type": "null"}}},
    ).findings

    assert undeclared(finding.backward)
    assert "but only with a property that was not listed" in for_producers(finding)


def test_what_is_not_known_is_not_claimed():
    def event(pattern):
        return {
            "type": "object",
            "properties": {"a": {"type": "string", "pattern": pattern}},
            "additionalProperties": False,
        }

    [finding] = compared(event("^aa$"), event("^a+$")).findings

    assert for_producers(finding) == (
        "Producers: it is not known whether all that they send stays valid: "
        "there is no proof, and no generated event shows the contrary."
    )
