from datetime import UTC, datetime

import pytest

from legacy.strict.eventerror import capsule_of, event_error


@pytest.mark.parametrize(
    ("raw", "schema", "revision"),
    [
        ("?%22schema%22%3A%22Foo%22%2C%22revision%22%3A9", "Foo", 9),
        ("?%22event%22%3A%7B%22schema%22%3A%22Inner%22", "Inner", -1),
        ("?%22schema%22%3A%22A%22%2C%22schema%22%3A%22B%22", "A", -1),
        ("?%22schema%22%3A%22Foo", "unknown", -1),
        ("?%22schema%22%3A+%22Foo%22", "unknown", -1),
        ("?%22schema%22%3a%22Foo%22", "unknown", -1),
        ('?{"schema":"Foo","revision":5', "unknown", -1),
        (f"?%22schema%22%3A%22{'A' * 64}%22", "unknown", -1),
        ("?%22revision%22%3A1.5%7D", "unknown", 1),
        ("?%22revision%22%3A-1", "unknown", -1),
        ("", "unknown", -1),
    ],
)
def test_what_could_not_be_read_is_searched_for_a_schema(raw, schema, revision):
    error = event_error(raw, "boom", "processor")

    assert error == {
        "rawEvent": raw,
        "message": "boom",
        "code": "processor",
        "schema": schema,
        "revision": revision,
    }


@pytest.mark.parametrize(
    ("parsed", "schema", "revision"),
    [
        ({"schema": "Foo", "revision": "x"}, "Foo", "x"),
        ({"schema": None, "revision": [1]}, None, [1]),
        ({"schema": "Foo"}, "unknown", -1),
        ({"meta": {"schema_uri": "foo/bar/3"}}, "foo/bar", 3),
        ({"meta": {"schema_uri": "foo"}}, "foo", None),
        ({"meta": {}}, "unknown", -1),
        ({}, "Raw", 9),
        (None, "Raw", 9),
    ],
)
def test_what_was_read_says_which_schema_it_followed(parsed, schema, revision):
    raw = "?%22schema%22%3A%22Raw%22%2C%22revision%22%3A9"

    error = event_error(raw, "boom", "validation", parsed)

    assert (error["schema"], error["revision"]) == (schema, revision)


def test_an_event_with_an_odd_schema_uri_cannot_be_told_about():
    with pytest.raises(TypeError):
        event_error("?", "boom", "processor", {"meta": {"schema_uri": 5}})


def test_event_errors_are_published_in_a_capsule_of_their_own():
    now = datetime(2019, 11, 5, 10, 20, 30, 600_000, tzinfo=UTC)

    capsule = capsule_of({"code": "processor"}, host="h", now=now, uuid="u")

    assert capsule == {
        "schema": "EventError",
        "revision": 14035058,
        "wiki": "",
        "uuid": "u",
        "recvFrom": "h",
        "timestamp": 1572949231,
        "event": {"code": "processor"},
    }
