import pytest

from legacy.strict.errors import CapsuleInvalid, NotProcessed
from legacy.strict.reference import Reference
from legacy.strict.schemas import OldSchemas, reference_in_name

CAPSULE = {"wiki": "w", "schema": "Sem", "revision": 1, "recvFrom": "h", "uuid": "u"}
SEM = Reference("Sem", 1)


def judging(**properties):
    return OldSchemas({SEM: {"properties": properties}})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 2**80),
        ({"type": "number"}, 1),
        ({"type": "any"}, [1]),
        ({"type": ["string", "integer"]}, 5),
        ({"type": "string", "format": "date-time"}, "nonsense"),
        ({"type": "string", "required": "true"}, "x"),
        ({"type": "array", "items": {"type": "integer", "required": True}}, []),
        ({"type": "object", "properties": {"x": {"required": True}}, "enum": [{"x": 1}]}, {"x": 1}),
        ({"$ref": "#/properties/wiki"}, "text"),
        ({"$ref": "http://json-schema.org/draft-03/schema#"}, {"type": "string"}),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "type": "any"}, None),
    ],
)
def test_draft_3_lets_pass(schema, value):
    judging(v=schema).check({**CAPSULE, "event": {"v": value}}, SEM)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, True),
        ({"type": "integer"}, 1.0),
        ({"type": "number"}, False),
        ({"type": "string"}, None),
        ({"type": ["string", {"properties": {"x": {"required": True}}, "type": "object"}]}, {}),
        ({"enum": [1]}, True),
        ({"divisibleBy": 2}, 3),
        ({"disallow": "string"}, "x"),
        ({"minimum": 0, "exclusiveMinimum": True}, 0),
        ({"extends": {"type": "string"}}, 5),
        ({"$ref": "#/properties/wiki"}, 5),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "divisibleBy": 2}, 3),
    ],
)
def test_draft_3_refuses(schema, value):
    with pytest.raises(CapsuleInvalid):
        judging(v=schema).check({**CAPSULE, "event": {"v": value}}, SEM)


@pytest.mark.parametrize("event", [[], None, "x", 5, True])
def test_an_event_that_is_no_object_passes_as_few_schemas_say_that_it_must_be(event):
    judging(v={"required": True}).check({**CAPSULE, "event": event}, SEM)
    judging(v={"required": True}).check(CAPSULE, SEM)


@pytest.mark.parametrize(
    "change",
    [
        {"wiki": None},
        {"webHost": 5},
        {"timestamp": True},
        {"topic": 1},
        {"client_dt": "2018-01-02T03:04:05Z"},
        {"revision": True},
        {"event": {"unknown": 1}},
    ],
)
def test_capsules_that_break_the_capsule_s_schema_are_invalid(change):
    with pytest.raises(CapsuleInvalid):
        judging().check({**CAPSULE, **change}, SEM)


@pytest.mark.parametrize("name", ["wiki", "schema", "revision", "recvFrom", "uuid"])
def test_capsules_lack_nothing_that_is_required(name):
    lacking = {key: value for key, value in CAPSULE.items() if key != name}

    with pytest.raises(CapsuleInvalid, match=name):
        judging().check(lacking, SEM)


def test_every_violation_can_be_had():
    found = judging(a={"required": True}).violations({**CAPSULE, "x": 1, "event": {"b": 1}}, SEM)

    assert sorted(violation.validator for violation in found) == [
        "additionalProperties",
        "additionalProperties",
        "required",
    ]


@pytest.mark.parametrize("reference", [Reference("Sem", 2), Reference("sem", 1)])
def test_an_unknown_schema_is_no_fault_of_the_capsule(reference):
    with pytest.raises(NotProcessed, match="no revision"):
        judging().check(CAPSULE, reference)


def test_an_empty_schema_counts_as_none():
    with pytest.raises(NotProcessed):
        OldSchemas({SEM: {}}).check(CAPSULE, SEM)


def test_true_is_revision_1_to_python():
    with pytest.raises(CapsuleInvalid, match="True is not of type 'integer'"):
        judging().check({**CAPSULE, "revision": True}, Reference("Sem", True))


@pytest.mark.parametrize(
    ("stem", "reference"),
    [
        ("TestSchema-123", ("TestSchema", 123)),
        ("A-b-7", ("A-b", 7)),
        ("TwoColConflictExit-0", ("TwoColConflictExit", 1)),
        ("EditConflict-README", None),
        ("_metaschema-onwiki", None),
        ("Name", None),
    ],
)
def test_file_names_say_what_they_hold(stem, reference):
    assert reference_in_name(stem) == reference
