import pytest

from legacy.capsule import is_capsule, revision, schema_name, without_secrets
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


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ({"schema": "Clicks", "event": {}}, True),
        ({"schema": "Clicks", "revision": 1}, True),
        ({"schema": 7, "wiki": "x"}, True),
        ({"schema": "Clicks", "event": {}, "meta": "x"}, True),
        ({"schema": "Clicks"}, False),
        ({"event": {}, "revision": 1}, False),
        ({"schema": "Clicks", "event": {}, "$schema": "/clicks/1.0.0"}, False),
        ({"schema": "Clicks", "event": {}, "meta": {}}, False),
        (["schema", "event"], False),
        ("schema", False),
    ],
)
def test_its_shape_tells_a_capsule(value, answer):
    assert is_capsule(value) is answer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"ip":"192.0.2.1","event":{', b'{"ip":null,"event":{'),
        (b'{"clientIp": "ab\\"cd", "a": 1', b'{"clientIp": null, "a": 1'),
        (b'{"recvFrom" :"192.0.2.1', b'{"recvFrom" :null'),
        (b'{"uuid":12345,"a"', b'{"uuid":null,"a"'),
        (b'{"http":{"client_ip":"192.0.2.1"}', b'{"http":{"client_ip":null}'),
        (b'{"event":{"value":"ip"}', b'{"event":{"value":"ip"}'),
        (b'{"zip":"x"', b'{"zip":"x"'),
    ],
)
def test_addresses_are_left_out_even_of_what_cannot_be_read(text, told):
    assert without_secrets(text) == told
