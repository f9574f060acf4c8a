import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import SchemaNotFound
from app.schemas.uris import canonical_uri, is_version, name_of, parent_of


@pytest.mark.parametrize(
    "spelling",
    [
        "/button/click/1.0.0",
        "button/click/1.0.0",
        "/button/click/1.0.0#",
        "/button/click/1.0.0.yaml",
        "/button/click/1.0.0.yml",
        "button/click/1.0.0.json#",
        "/button/click/1.0.0.json.yaml",
    ],
)
def test_all_spellings_of_a_schema_have_one_canonical_form(spelling):
    assert canonical_uri(spelling) == "/button/click/1.0.0"


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("//host/button/1.0.0", "two slashes"),
        ("https://host/button/1.0.0", "Absolute schema URIs are not allowed"),
        ("file:///etc/passwd", "Absolute schema URIs are not allowed"),
        ("file:/etc/passwd", "Absolute schema URIs are not allowed"),
        ("/button/1.0.0#/properties/meta", "fragment"),
        ("/button/../1.0.0", "dot segments"),
        ("..\\button", "dot segments"),
        ("/./button", "dot segments"),
        ("/button//1.0.0", "not a plain path"),
        ("/button/1.0.0/", "not a plain path"),
        ("/button/1.0.0?x=1", "not a plain path"),
        ("/button/%2e%2e/1.0.0", "not a plain path"),
        ("/button\\1.0.0", "not a plain path"),
        ("/button/1.0.0\0", "not a plain path"),
        ("/button/1.0.0\n", "not a plain path"),
        ("@host/button", "not a plain path"),
        (":8080/button", "not a plain path"),
        (".host/button", "not a plain path"),
        ("/bütton/1.0.0", "not a plain path"),
        ("", "not a plain path"),
        ("#", "not a plain path"),
        ("/", "not a plain path"),
        ("/" + "a" * 512, "more than 512 characters"),
    ],
)
def test_what_is_no_plain_path_is_refused_with_the_reason(uri, says):
    with pytest.raises(SchemaNotFound, match=says) as caught:
        canonical_uri(uri)

    assert caught.value.pointer == "/$schema"
    assert caught.value.got.isprintable()
    assert len(caught.value.got) <= 400
    assert "letters, digits" in caught.value.hint


def test_an_absolute_uri_is_taken_where_that_is_allowed():
    uri = canonical_uri("https://schemas.example.org:8443/a/1.0.0.yaml", allow_absolute=True)

    assert uri == "https://schemas.example.org:8443/a/1.0.0"


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "ftp://host/a",
        "https://user@host/a/1.0.0",
        "https://host/../a",
        "https://host",
        "https://host/a?b",
        "https://host/a#/b",
        "//host/a",
    ],
)
def test_other_absolute_uris_are_refused_even_there(uri):
    with pytest.raises(SchemaNotFound):
        canonical_uri(uri, allow_absolute=True)


@given(st.text(alphabet=st.sampled_from("aZ09._-/#%\\:?@ \n\0é~"), max_size=30))
def test_a_canonical_form_is_canonical_and_cannot_lead_elsewhere(text):
    try:
        uri = canonical_uri(text)
    except SchemaNotFound:
        return

    assert canonical_uri(uri) == uri
    assert uri.startswith("/")
    assert all(part and part.strip(".") for part in uri[1:].split("/"))


def test_a_uri_has_a_parent_and_a_name():
    assert (parent_of("/a/b/1.0.0"), name_of("/a/b/1.0.0")) == ("/a/b", "1.0.0")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("1.0.0", True), ("10.20.30", True), ("1.0", False), ("latest", False), ("1.0.0-a", False)],
)
def test_a_version_has_three_numbers(name, is_one):
    assert is_version(name) is is_one
