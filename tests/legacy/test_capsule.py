import pytest

from legacy.capsule import revision, schema_name
from legacy.errors import LegacyError


@pytest.mark.parametrize("name", ["A", "MediaWikiPingback", "a-b_c.d/e", "9", "x" * 63])
def test_a_schema_name_of_good_form_is_taken(name):
    assert schema_name({"schema": name}) == name


@pytest.mark.parametrize(
    "name", ["", "x" * 64, "Test\n", "\nTest", "Te st", "Tést", "Test\x00", "Te{st}", "\uff34est"]
)
def test_a_schema_name_of_bad_form_is_a_missing_field(name):
    with pytest.raises(LegacyError) as caught:
        schema_name({"schema": name})

    assert caught.value.reason == "missing_field"
    assert caught.value.pointer == "/schema"


@pytest.mark.parametrize("name", [None, 1, True, ["Test"], {"a": 1}])
def test_a_schema_name_that_is_no_string_is_a_missing_field(name):
    with pytest.raises(LegacyError, match="does not name its schema") as caught:
        schema_name({"schema": name})

    assert caught.value.got == "something that is not a string"


def test_a_capsule_without_schema_is_told_so():
    with pytest.raises(LegacyError) as caught:
        schema_name({"event": {}})

    assert caught.value.got == "nothing"


def test_a_bad_name_is_counted_not_repeated():
    with pytest.raises(LegacyError) as caught:
        schema_name({"schema": "<b>Te st</b>"})

    assert caught.value.got == "12 characters, of them 5 not allowed"


@pytest.mark.parametrize("number", [0, 1, -1, 15781718, 2**64 - 1])
def test_a_revision_is_an_integer(number):
    assert revision({"revision": number}) == number


@pytest.mark.parametrize(
    "capsule", [{}, *({"revision": odd} for odd in (None, True, False, 1.0, "1", [1]))]
)
def test_anything_else_is_no_revision(capsule):
    assert revision(capsule) is None
