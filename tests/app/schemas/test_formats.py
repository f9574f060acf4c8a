import ipaddress
from uuid import UUID

import jsonschema_rs as rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.formats import PATTERNS, put_formats_into_patterns


def judge(schema):
    return rs.Draft7Validator(
        schema, validate_formats=False, pattern_options=rs.RegexOptions(), offline=True
    ).is_valid


JUDGES = {name: judge({"pattern": pattern}) for name, pattern in PATTERNS.items()}

TAKEN = {
    "date-time": [
        "2020-01-02T03:04:05Z",
        "2020-01-02T03:04:05.123456789Z",
        "2020-01-02 03:04:05+02:00",
        "2020-01-02t03:04:05z",
        "2020-01-02T03:04:60Z",
        "2020-01-02T25:04:05Z",
        "2020-02-30T03:04:05-0230",
        "2020-02-30T03:04:05-02",
    ],
    "date": ["2020-01-02", "2020-13-02", "2020-02-30"],
    "time": ["03:04:05", "03:04:05Z", "25:04:05.1+02:00", "03:04:60z"],
    "uri": ["https://example.org/a|b", "urn:x:y", "a:", "mailto:a@b", "HTTP://EXAMPLE"],
    "uri-reference": [
        "",
        "/wiki/Foo|Bar?x=[y]",
        "https://example.org/wiki/Ünïcödé",
        "#fragment",
        "a\\b",
        "//host/x#a#b",
    ],
    "email": ["a@b", "a.b+c@example.org", "!#$%&'*+/=?^_`{|}~-@x.y"],
    "hostname": ["example.org", "a", "a-b.c.", "1.2"],
    "ipv4": ["0.0.0.0", "255.255.255.255", "010.1.1.1"],
    "ipv6": [
        "::",
        "::1",
        "1::",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "fe80::1%eth0",
        "::ffff:192.0.2.1",
        "1:2:3:4:5:6:192.0.2.1",
        "2001:DB8::a",
    ],
    "uuid": [
        "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
        "urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    ],
}
REFUSED = {
    "date-time": [
        "2020-01-02T03:04:05",
        "2020-13-02T03:04:05Z",
        "2020-01-42T03:04:05Z",
        "2020-01-02",
        "2020-01-02T03:04Z",
        "2020-01-02T03:04:05Z\n",
        " 2020-01-02T03:04:05Z",
        "2020-01-02T03:04:61Z",
        "2020-01-02T03:04:05.Z",
        "٢٠٢٠-01-02T03:04:05Z",
        "",
    ],
    "date": ["2020-1-2", "20200102", "2020-01-02T", "2020-21-02", "2020-01-02\n"],
    "time": ["3:04:05", "03:04", "35:04:05", "03:04:05 Z"],
    "uri": ["/path", "example.org", "http://a b", "1a:b", "", "http://a\tb"],
    "uri-reference": ["a b", "\\a", "a\nb", "#a\\b", "#a b", "\u00a0"],
    "email": ["a", "@b", "a@", "a b@c", "a@b@c", "a@-b", "ä@b"],
    "hostname": ["", "-a", "a-", "a..b", "a_b", "a" * 64, "a b"],
    "ipv4": ["1.2.3", "256.1.1.1", "1.2.3.4.5", "a.b.c.d", "1.2.3.4 "],
    "ipv6": [
        "",
        ":",
        ":::",
        "1:2:3",
        "1::2::3",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::2:3:4:5:6:7:8:9",
        "12345::",
        "g::",
        "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1.2.3.4",
        ":1",
        "1:",
    ],
    "uuid": ["6f9619ff8b864d01b42d00cf4fc964ff", "{6f9619ff-8b86-4d01-b42d-00cf4fc964ff}", "x"],
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in TAKEN.items() for text in texts]
)
def test_a_text_of_the_form_is_taken(name, text):
    assert JUDGES[name](text)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts]
)
def test_a_text_of_another_form_is_refused(name, text):
    assert not JUDGES[name](text)


def test_every_format_is_tested_both_ways():
    assert PATTERNS.keys() == TAKEN.keys() == REFUSED.keys()


@given(st.ip_addresses(v=6))
def test_every_ipv6_address_is_one_in_every_spelling(address):
    tail = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    spelled = [address.compressed, address.exploded, address.exploded.upper()]
    spelled.append(f"{address.exploded.rsplit(':', 2)[0]}:{tail}")

    assert all(map(JUDGES["ipv6"], spelled))


@given(st.text("0123:::..af", max_size=24))
def test_a_text_is_an_ipv6_address_exactly_when_python_reads_it(text):
    try:
        ipaddress.IPv6Address(text)
    except ValueError as error:
        # Python refuses what no longer has one meaning everywhere; EventGate does not.
        expected = "Leading zeros are not permitted" in str(error)
        if expected:
            return
    else:
        expected = True

    assert JUDGES["ipv6"](text) is expected


@given(st.uuids())
def test_every_uuid_is_one(uuid):
    assert JUDGES["uuid"](str(UUID(int=uuid.int)))


@given(st.datetimes(timezones=st.timezones()))
def test_every_time_with_a_zone_that_python_writes_is_a_date_time(moment):
    text = moment.isoformat()
    if moment.utcoffset().seconds % 60 or len(text.rpartition(":")[0]) > 30:
        return  # no offset of ISO 8601 has seconds

    assert JUDGES["date-time"](text)


def test_a_format_becomes_a_pattern_beside_it_or_below_an_all_of():
    alone = {"format": "date"}
    both = {"format": "date", "pattern": "^2", "allOf": [{"minLength": 1}]}
    unknown = {"format": "regex"}

    put_formats_into_patterns([alone, both, unknown, {}])

    assert alone["pattern"] == PATTERNS["date"]
    assert both["pattern"] == "^2"
    assert both["allOf"] == [{"minLength": 1}, {"pattern": PATTERNS["date"]}]
    assert unknown == {"format": "regex"}


@pytest.mark.parametrize("kind", [7, ["date"], None, {}])
def test_a_format_of_wrong_type_is_left_alone(kind):
    schema = {"format": kind}

    put_formats_into_patterns([schema])

    assert schema == {"format": kind}
