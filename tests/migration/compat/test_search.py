import pytest

from migration.compat.gaps import Gap
from migration.compat.places import EachItem, EachName
from migration.compat.search import Search
from migration.examples import Examples
from tests.migration.compat.sides import side

OLD = {
    "type": "object",
    "properties": {
        "a": {"type": "string"},
        "items": {"type": "array", "items": {"type": "integer"}},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def found(new, gap, *beside):
    old, new = side(OLD), side(new)
    example = Search(old, new, Examples()).for_gap(gap, (gap, *beside))
    if example is not None:
        assert old.takes(example.event)
        assert example.fault in new.faults(example.event)
    return example


def listed(**properties):
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("new", "gap", "pointer"),
    [
        (listed(a={"maxLength": 900}), Gap(("a",), "maxLength"), "/a"),
        (listed(a={"pattern": "^[a-z]+$"}), Gap(("a",), "pattern"), "/a"),
        (listed(a={"format": "date"}), Gap(("a",), "format"), "/a"),
        ({"type": "object", "required": ["a"]}, Gap(("a",), "required"), ""),
        (
            listed(items={"items": {"maximum": 12}}),
            Gap(("items", EachItem(0)), "maximum"),
            "/items/0",
        ),
        (listed(items={"uniqueItems": True}), Gap(("items",), "uniqueItems"), "/items"),
        (
            listed(map={"additionalProperties": {"minLength": 1}}),
            Gap(("map", EachName()), "minLength"),
            "/map/another",
        ),
        (
            {"type": "object", "additionalProperties": False, "properties": OLD["properties"]},
            Gap((EachName(),), "additionalProperties"),
            "",
        ),
    ],
)
def test_an_event_is_found_that_is_refused_for_the_rule_at_the_place(new, gap, pointer):
    example = found(new, gap)

    assert (example.fault.pointer, example.fault.keyword) == (pointer, gap.keyword)


def test_an_event_refused_for_the_one_rule_alone_is_preferred():
    new = listed(a={"pattern": "^[a-z]*$", "maxLength": 3})
    pattern, length = Gap(("a",), "pattern"), Gap(("a",), "maxLength")

    for gap, other in ((pattern, length), (length, pattern)):
        example = found(new, gap, other)

        assert [fault.keyword for fault in side(new).faults(example.event)] == [gap.keyword]


def test_nothing_is_found_where_nothing_is_refused():
    assert found(OLD, Gap(("a",), "maxLength")) is None


def test_what_another_rule_refuses_is_not_laid_to_this_one():
    gap = Gap(("a",), "pattern")
    new = listed(a={"maxLength": 2})

    assert found(new, gap, Gap(("a",), "maxLength")) is None
