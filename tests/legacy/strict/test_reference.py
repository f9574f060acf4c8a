import pytest

from legacy.strict.errors import CapsuleInvalid
from legacy.strict.reference import check_reference, reference_of


@pytest.mark.parametrize(
    ("event", "reference"),
    [
        ({"schema": "A", "revision": 1}, ("A", 1)),
        ({"schema": None, "revision": []}, (None, [])),
        ({"schema": "A"}, None),
        ({"revision": 1}, None),
        ({"schema": "A", "revision": 1, "meta": "x"}, ("A", 1)),
        ({"schema": "A", "revision": 1, "meta": {}}, None),
        ({"meta": {"schema_uri": "foo/bar/3"}}, ("foo/bar", 3)),
        ({"meta": {"schema_uri": "/foo/3.yaml"}}, ("foo", 3)),
        ({"meta": {"schema_uri": "http://host/foo/3.json?x"}}, ("foo", 3)),
        ({"meta": {"schema_uri": "foo"}}, ("foo", None)),
        ({"meta": {"schema_uri": "foo/x.toml"}}, ("foo/x.toml", None)),
        ({"meta": {"schema_uri": ""}}, None),
        ({"meta": {"schema_uri": "http://x/y z/1"}}, None),
    ],
)
def test_events_say_which_schema_they_follow(event, reference):
    assert reference_of(event) == reference


@pytest.mark.parametrize("uri", [5, None, [], {}, True])
def test_a_schema_uri_that_is_no_text_cannot_be_looked_at(uri):
    with pytest.raises(TypeError):
        reference_of({"meta": {"schema_uri": uri}})


@pytest.mark.parametrize("name", ["A", "A-b_c", "..", "../../x", "A\n", "A" * 63])
@pytest.mark.parametrize("revision", [1, True, 10**30])
def test_references_of_good_form_pass(name, revision):
    assert check_reference((name, revision)) == (name, revision)


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        (None, "could not be extracted"),
        (("A", "1"), "revision ID type"),
        (("A", 1.0), "revision ID type"),
        (("A", None), "revision ID type"),
        (("A", 0), "Invalid revision ID 0"),
        (("A", False), "Invalid revision ID False"),
        (("A", -1), "Invalid revision ID -1"),
        (("", 1), "schema name"),
        (("A" * 64, 1), "schema name"),
        (("A b", 1), "schema name"),
        (("A\n\n", 1), "schema name"),
        (("É", 1), "schema name"),
        ((None, 1), "schema name"),
        ((["A"], 1), "schema name"),
    ],
)
def test_references_of_bad_form_make_the_capsule_invalid(reference, problem):
    with pytest.raises(CapsuleInvalid, match=problem):
        check_reference(reference)
