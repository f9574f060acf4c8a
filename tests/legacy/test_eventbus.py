import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.errors import LegacyError
from legacy.eventbus import is_eventbus, modern_body_of
from legacy.mapping import Mapping

NOTHING = Mapping()
LISTED = Mapping.parse(
    {
        "schemas": {
            "mediawiki/page/move": {
                "schema_uri": "/mediawiki/page/move/1.1.0",
                "stream": "mediawiki.page-move",
                "revisions": {2: "/mediawiki/page/move/2.0.0"},
            }
        }
    }
)
EVENT = {
    "meta": {
        "topic": "mediawiki.revision-create",
        "schema_uri": "mediawiki/revision/create/2",
        "uri": "https://www.example.org/wiki/X",
        "id": "11111111-2222-1333-8444-555555555555",
        "dt": "2018-01-02T03:04:05+01:00",
        "domain": "www.example.org",
    },
    "page_id": 7,
}


def no_stream(_name):
    return None


def with_meta(**meta):
    return EVENT | {"meta": {k: v for k, v in (EVENT["meta"] | meta).items() if v is not ...}}


def test_an_event_keeps_all_but_the_two_fields_that_are_put_anew():
    before = {**EVENT, "meta": dict(EVENT["meta"])}

    body, offers = modern_body_of(EVENT, NOTHING, no_stream)

    assert body == {
        "$schema": "/mediawiki/revision/create/2.0.0",
        "meta": {
            "stream": "mediawiki.revision-create",
            "uri": "https://www.example.org/wiki/X",
            "id": "11111111-2222-1333-8444-555555555555",
            "dt": "2018-01-02T03:04:05+01:00",
            "domain": "www.example.org",
        },
        "page_id": 7,
    }
    assert offers == {"dt": "2018-01-02T02:04:05.000Z"}
    assert before == EVENT


@pytest.mark.parametrize(
    ("schema_uri", "schema"),
    [
        ("a/b/2", "/a/b/2.0.0"),
        ("/a/b/2", "/a/b/2.0.0"),
        ("a/b/2.yaml", "/a/b/2.0.0"),
        ("a/b/2.json", "/a/b/2.0.0"),
        ("a/b/1.2.0", "/a/b/1.2.0"),
        ("a/b/1.2.0.yml", "/a/b/1.2.0"),
        ("a/b/latest", "/a/b/latest"),
        ("a/b", "/a/b/latest"),
        ("a", "/a/latest"),
        ("2", "/2/latest"),
        ("resource_change/1", "/resource_change/1.0.0"),
    ],
)
def test_the_name_and_the_revision_become_a_schema_uri(schema_uri, schema):
    body, _ = modern_body_of(with_meta(schema_uri=schema_uri), NOTHING, no_stream)

    assert body["$schema"] == schema


@pytest.mark.parametrize(
    ("schema_uri", "schema"),
    [
        ("mediawiki/page/move/2", "/mediawiki/page/move/2.0.0"),
        ("mediawiki/page/move/1", "/mediawiki/page/move/1.1.0"),
        ("mediawiki/page/move", "/mediawiki/page/move/1.1.0"),
    ],
)
def test_the_mapping_file_may_say_otherwise(schema_uri, schema):
    event = with_meta(schema_uri=schema_uri, topic="another")

    body, _ = modern_body_of(event, LISTED, no_stream)

    assert body["$schema"] == schema
    assert body["meta"]["stream"] == "mediawiki.page-move"


def test_an_event_without_a_schema_follows_the_latest_of_its_topic():
    def latest_of(stream):
        return f"/schema/of/{stream}/latest"

    body, _ = modern_body_of(with_meta(schema_uri=...), NOTHING, latest_of)

    assert body["$schema"] == "/schema/of/mediawiki.revision-create/latest"


def test_an_event_of_an_unknown_topic_and_no_schema_names_none():
    body, _ = modern_body_of(with_meta(schema_uri=...), NOTHING, no_stream)

    assert "$schema" not in body
    assert body["meta"]["stream"] == "mediawiki.revision-create"


def test_a_stream_stands_in_for_a_topic():
    body, _ = modern_body_of(with_meta(topic=..., stream="mine"), NOTHING, no_stream)

    assert body["meta"]["stream"] == "mine"


@pytest.mark.parametrize(
    ("meta", "pointer"),
    [
        ({"topic": ...}, "/meta/topic"),
        ({"topic": ""}, "/meta/topic"),
        ({"topic": 7}, "/meta/topic"),
        ({"schema_uri": None}, "/meta/schema_uri"),
        ({"schema_uri": 5}, "/meta/schema_uri"),
        ({"schema_uri": "//"}, "/meta/schema_uri"),
    ],
)
def test_a_field_that_cannot_be_used_is_told(meta, pointer):
    with pytest.raises(LegacyError) as caught:
        modern_body_of(with_meta(**meta), NOTHING, no_stream)

    assert caught.value.reason == "missing_field"
    assert caught.value.pointer == pointer


def test_a_time_that_cannot_be_read_is_not_offered():
    _, offers = modern_body_of(with_meta(dt="yesterday"), NOTHING, no_stream)

    assert offers == {}


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (EVENT, True),
        ({"meta": {"topic": "x"}}, True),
        ({"meta": {"schema_uri": None}}, True),
        ({"meta": {"stream": "x"}}, False),
        (EVENT | {"$schema": "/a/1.0.0"}, False),
        ({"meta": "topic"}, False),
        ({"topic": "x"}, False),
        (["meta"], False),
        (None, False),
    ],
)
def test_its_shape_tells_an_eventbus_event(value, answer):
    assert is_eventbus(value) is answer


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
META = st.fixed_dictionaries(
    {}, optional={"topic": JSON, "schema_uri": JSON, "dt": JSON, "x": JSON}
)


@given(META.filter(lambda meta: "topic" in meta or "schema_uri" in meta), JSON)
def test_any_event_is_put_anew_or_raises_a_legacy_error(meta, more):
    try:
        body, _ = modern_body_of({"meta": meta, "more": more}, LISTED, no_stream)
    except LegacyError:
        body = {"meta": {"stream": "x", "x": meta.get("x")}, "more": more}

    assert body["more"] == more
    assert isinstance(body["meta"]["stream"], str)
    assert body["meta"].get("x") == meta.get("x")
