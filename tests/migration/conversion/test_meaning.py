"""What an old schema took, the new one takes, and nothing else, but for what a note says."""

from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.core.errors import SchemaViolation
from legacy.strict.reference import Reference
from legacy.strict.schemas import OldSchemas
from migration.conversion.capsule import load_capsule
from migration.conversion.event import event_schema
from migration.conversion.notes import RULES
from migration.conversion.options import CAPSULE, SAFE, Bounds, Options

NAME = "Generated"
CAPSULE_OF_OURS = load_capsule(CAPSULE, Path("no such repository"))
ENVELOPE = {
    "schema": NAME,
    "revision": 1,
    "wiki": "examplewiki",
    "recvFrom": "host.example.org",
    "uuid": "0" * 32,
}
META = {"stream": "eventlogging_Generated", "dt": "2026-01-15T09:32:40.118Z"}

names = st.sampled_from(["a", "b", "c", "required", "$ref", "é", "x/y~z"])
texts = st.sampled_from(["", "a", "b", "ab", "abc", "é", "\U0001f600\U0001f600", "1", "a b"])
exact = st.integers(-4, 6) | st.sampled_from([0.5, -1.5, 2.25]) | st.booleans() | st.none() | texts
inexact = exact | st.sampled_from([1.0, 5.0, -2.0, SAFE, SAFE + 1, -SAFE - 1, 10**17, 1e16])
types = st.sampled_from(
    ["any", "string", "integer", "number", "boolean", "array", "object", "null"]
)


def values_of(scalars):
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=6,
    )


def events_of(scalars):
    return st.dictionaries(names, values_of(scalars), max_size=4)


@st.composite
def schemas(draw, depth=3, patterns=("^a", "b$", "^[a-c]+$", "a|1", "é")):
    """Any schema of draft 3 that the old validator could use; few words in each."""
    inner = schemas(depth=depth - 1, patterns=patterns) if depth else st.just({"type": "string"})
    inners = st.lists(inner, max_size=3)
    flags = st.booleans()
    numbers = st.integers(-3, 4) | st.sampled_from([0.5, -1.5])
    unions = st.lists(types | inner, min_size=1, max_size=3, unique_by=repr)
    words = {
        "type": types | unions,
        "disallow": types | unions,
        "extends": inner | inners,
        "properties": st.dictionaries(names, inner, min_size=1, max_size=3),
        "additionalProperties": flags | inner,
        "patternProperties": st.dictionaries(st.sampled_from(patterns), inner, max_size=2),
        "items": inner | inners,
        "additionalItems": flags | inner,
        "dependencies": st.dictionaries(names, names | st.lists(names) | inner, max_size=2),
        "minItems": st.integers(0, 3),
        "maxItems": st.integers(0, 3),
        "uniqueItems": flags,
        "pattern": st.sampled_from(patterns),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "enum": st.lists(values_of(exact), min_size=1, max_size=4, unique_by=repr),
        "divisibleBy": st.integers(1, 3),
        "required": flags,
        "default": values_of(exact),
        "format": st.sampled_from(["date-time", "uri", "json-encoded", "utc-millisec"]),
        "description": texts,
        "id": texts,
        "anyOf": inners,
        "const": values_of(exact),
        "minProperties": st.integers(0, 3),
    }
    # Words that make schemas of schemas come more often than their number would let them.
    often = ["type", "properties", "items", "required", "disallow", "extends"]
    chosen = draw(st.lists(st.sampled_from([*words, *often * 2]), max_size=5, unique=True))
    schema = {word: draw(words[word]) for word in chosen}
    for limit in ("minimum", "maximum"):
        if draw(st.integers(0, 5)) == 0:
            schema[limit] = draw(numbers)
            schema[f"exclusive{limit.capitalize()}"] = draw(flags)
    return schema


@st.composite
def events_schemas(draw, **options):
    """A schema as it can stand at the top: one that does not rule objects out by its type."""
    inner = schemas(depth=2, **options)
    top = draw(schemas(**options))
    top["properties"] = top.get("properties", {}) | draw(
        st.dictionaries(names, inner, min_size=1, max_size=3)
    )
    if draw(st.booleans()):
        top.pop("type", None)
    listed = top.get("type", "any")
    listed = listed if isinstance(listed, list) else [listed]
    assume(any(one in ("any", "object") or isinstance(one, dict) for one in listed))
    return top


def judged(schema, event, **options):
    """Return both verdicts and the notes."""
    converted = event_schema(schema, NAME, Options(**options))
    own = {"required": ["event"], "properties": {"event": converted.schema}}
    document = {
        "title": "t",
        "$id": "/t/1.0.0",
        "$schema": "https://json-schema.org/draft-07/schema#",
        "type": "object",
        "allOf": [{"$ref": CAPSULE}, own],
    }
    new = CAPSULE_OF_OURS.compiled(document)
    old = OldSchemas({(NAME, 1): schema})
    was_valid = not list(old.violations(ENVELOPE | {"event": event}, Reference(NAME, 1)))
    try:
        new.validate({"$schema": "/t/1.0.0", "meta": META, "event": event})
    except SchemaViolation:
        return was_valid, False, converted.notes
    return was_valid, True, converted.notes


many = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@many
@given(events_schemas(), events_of(exact))
def test_a_closed_event_of_exact_values_is_judged_as_it_was(schema, event):
    was_valid, is_valid, _ = judged(schema, event, closed_event=True, bounds=None)

    assert is_valid == was_valid


@many
@given(events_schemas(), events_of(inexact), st.booleans())
def test_a_verdict_changes_only_in_a_direction_that_a_note_tells(schema, event, closed):
    was_valid, is_valid, notes = judged(schema, event, closed_event=closed)

    effects = {note.effect for note in notes}
    if was_valid and not is_valid:
        assert effects & {"narrower", "either"}
    if is_valid and not was_valid:
        assert effects & {"wider", "either"}


@many
@given(events_schemas(), events_of(inexact))
def test_only_whole_floats_bounds_and_dialects_change_the_verdict_of_a_closed_event(schema, event):
    was_valid, is_valid, notes = judged(schema, event, closed_event=True)

    told = {note.rule for note in notes} & {"whole_float", "bounds"}
    assert is_valid == was_valid or told


@many
@given(events_schemas(), events_of(exact))
def test_an_open_event_is_only_wider(schema, event):
    was_valid, is_valid, _ = judged(schema, event, bounds=None)

    assert is_valid or not was_valid


@many
@given(events_schemas(), events_of(exact))
def test_bounds_beyond_the_values_change_nothing(schema, event):
    options = {"closed_event": True, "bounds": Bounds(-100, 100)}

    was_valid, is_valid, _ = judged(schema, event, **options)

    assert is_valid == was_valid


@many
@given(events_schemas())
def test_every_note_is_of_a_known_rule_and_points_into_the_old_schema(schema):
    notes = event_schema(schema, NAME, Options()).notes

    assert {note.rule for note in notes} <= RULES.keys()
    for note in notes:
        value = schema
        for token in note.pointer.split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            value = value[int(name)] if isinstance(value, list) else value[name]
