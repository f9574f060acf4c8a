import pytest

from app.schemas.closure import BrokenSchema
from migration.materializeuse import compiled, insecurity, problem_of, refused_examples

GOOD = {
    "$id": "/a/1.0.0",
    "$schema": "https://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"x": {"type": "string", "pattern": "^a", "maxLength": 9}},
    "examples": [{"x": "ab"}],
}


def test_a_good_schema_has_no_problem():
    assert problem_of("/a/1.0.0", GOOD) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"examples": [{"x": "ab"}, {"x": "b"}]}, "refuses its own example"),
        ({"examples": ["word"]}, "no object"),
        ({"properties": {"x": {"pattern": "^a"}}}, "needs maxLength"),
        ({"properties": {"x": {"type": "text"}}}, "could not use it: at #/properties/x"),
        ({"$schema": "https://example.org/mine"}, "no draft that is known"),
        ({"allOf": [{"$ref": "/b/1.0.0"}]}, "still refers to /b/1.0.0"),
    ],
)
def test_what_the_service_could_not_use_must_not_be_released(change, said):
    problem = problem_of("/a/1.0.0", GOOD | change)

    assert problem is not None
    assert said in problem


def test_examples_are_told_by_their_place():
    schema = compiled("/a/1.0.0", GOOD | {"examples": [{"x": "ab"}, {"x": 1}, 3]})

    assert [steps for steps, _ in refused_examples(schema)] == [("examples", 1), ("examples", 2)]


def test_an_example_may_leave_to_defaults_what_the_service_fills():
    document = GOOD | {
        "required": ["y"],
        "properties": {"y": {"type": "string", "default": "z"}},
        "examples": [{}],
    }

    assert problem_of("/a/1.0.0", document) is None


def test_what_cannot_be_read_at_all_is_broken_rather_than_insecure():
    with pytest.raises(BrokenSchema):
        insecurity("/a/1.0.0", GOOD | {"not": {"$ref": "#/nowhere"}})
