import json
import time
from contextlib import suppress
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy.errors import LegacyError
from legacy.formats import FORMATS, LineFormat
from legacy.logline import PRODUCTION, Receipt, read_line
from legacy.strictjson import loads

OLDER = LineFormat.parse("2014-02")
SERVER_SIDE = LineFormat.parse("server-side")
CAPSULE = {"schema": "Clicks", "revision": 1, "event": {"button": "save"}}


def line_of(
    capsule=CAPSULE,
    host="cp3041",
    number="1234567",
    dt="2019-11-05T10:20:30",
    ip="198.51.100.7",
    agent='"Firefox/70.0"',
):
    query = capsule if isinstance(capsule, str) else quote(json.dumps(capsule))
    return "\t".join((f"?{query};", host, number, dt, ip, agent)).encode("utf-8", "surrogateescape")


def test_a_production_line_gives_a_capsule_and_its_receipt():
    capsule, receipt = read_line(line_of(), PRODUCTION, loads)

    assert capsule == CAPSULE
    assert receipt == Receipt(
        dt="2019-11-05T10:20:30.000Z",
        host="cp3041",
        client_ip="198.51.100.7",
        user_agent="Firefox/70.0",
        event_id=receipt.event_id,
    )


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_end_of_the_line_is_no_part_of_it(end):
    _, receipt = read_line(line_of() + end, PRODUCTION, loads)

    assert receipt.user_agent == "Firefox/70.0"


def test_the_identity_is_the_one_that_the_old_system_gave():
    # The examples of LEGACY, c.5: with dt since November 2017, with a timestamp before.
    line = line_of(host="srv0.example.org", number="132073", dt="2013-01-19T23:16:38")
    older = line_of(host="cp3022.esams.wikimedia.org", number="132073", dt="2013-01-19T23:16:38")

    _, receipt = read_line(line, PRODUCTION, loads)
    _, old_receipt = read_line(older, OLDER, loads)

    assert receipt.event_id == UUID("749684341abf513186c71f74c6a09502")
    assert old_receipt.event_id == UUID("799341a01ba957c79b15dc4d2d950864")


@pytest.mark.parametrize(
    "parts", [{"host": "-"}, {"dt": "2019-02-30T10:20:30"}, {"dt": "2019-02-03T25:20:30"}]
)
def test_a_line_that_lacks_a_part_of_the_identity_has_none(parts):
    capsule, receipt = read_line(line_of(**parts), PRODUCTION, loads)

    assert capsule == CAPSULE
    assert receipt.event_id is None


def test_what_the_client_says_of_itself_is_not_in_the_receipt():
    claims = {"recvFrom": "evil", "seqId": 1, "dt": "2001-01-01", "ip": "192.0.2.99", "uuid": "u"}

    _, with_claims = read_line(line_of(CAPSULE | claims), PRODUCTION, loads)
    _, without = read_line(line_of(), PRODUCTION, loads)

    assert with_claims == without


@pytest.mark.parametrize(
    ("ip", "client_ip"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("-", None),
        ("192.0.2.1, 10.0.0.1", None),
        ("garbage", None),
    ],
)
def test_only_an_address_is_a_clients_address(ip, client_ip):
    _, receipt = read_line(line_of(ip=ip), PRODUCTION, loads)

    assert receipt.client_ip == client_ip


@pytest.mark.parametrize(
    ("logged", "user_agent"),
    [
        ('"Firefox/70.0"', "Firefox/70.0"),
        ("Firefox/70.0", "Firefox/70.0"),
        ('"-"', None),
        ("-", None),
        ('""', None),
        ('"a "quoted" one"', 'a "quoted" one'),
        ('"', '"'),
        ('"\udce9t\udce9"', "\ufffdt\ufffd"),
    ],
)
def test_a_user_agent_is_stored_without_the_quotes_of_the_log(logged, user_agent):
    _, receipt = read_line(line_of(agent=logged), PRODUCTION, loads)

    assert receipt.user_agent == user_agent


def test_an_older_line_has_its_address_in_another_column():
    line = b'?%7B%22a%22:1%7D cp1 7 2014-03-04T05:06:07 198.51.100.7 "Firefox"'

    capsule, receipt = read_line(line, OLDER, loads)

    assert capsule == {"a": 1}
    assert receipt.client_ip == "198.51.100.7"
    assert receipt.dt == "2014-03-04T05:06:07.000Z"
    assert receipt.user_agent == "Firefox"


def test_a_server_side_line_is_plain_json_and_has_no_receipt():
    line = b'523 EventLogging {"schema":"Clicks","event":{"s":"a\\u0020b"},"recvFrom":"mw1017"}'

    capsule, receipt = read_line(line, SERVER_SIDE, loads)

    assert capsule["event"] == {"s": "a b"}
    assert receipt == Receipt()
    assert receipt.offers() == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"523 EventLogging []", "is JSON, but not an object"),
        (b'523 EventLogging {"a": 1}', "none that we read"),
        (b'523 EventLogging {"a":NaN}', "none that we read"),
        (b'523 EventLogging {"a":"\xff"}', "none that we read"),
        (b"EventLogging {}", "does not have the form"),
        (b"", "does not have the form"),
    ],
)
def test_a_server_side_line_that_cannot_be_read_is_malformed(line, message):
    with pytest.raises(LegacyError, match=message) as caught:
        read_line(line, SERVER_SIDE, loads)

    assert caught.value.reason == "malformed"


def test_bytes_in_a_query_that_are_not_utf_8_are_refused_not_replaced():
    line = line_of('{"event":"\udce9"}')

    with pytest.raises(LegacyError, match="not UTF-8"):
        read_line(line, PRODUCTION, loads)


@pytest.mark.parametrize(
    "line",
    [
        line_of("%7Bcut"),
        line_of("%5B%5D"),
        line_of(number="none"),
        b"198.51.100.7 " + line_of(),
        b"198.51.100.7",
        line_of("%7B%22ip%22%3A%22198.51.100.7%22%2C%22clientIp%22%3A%22198.51.100.7"),
    ],
)
def test_what_is_told_of_a_line_that_cannot_be_read_has_no_address(line):
    with pytest.raises(LegacyError) as caught:
        read_line(line, PRODUCTION, loads)

    assert isinstance(caught.value.told, bytes)
    assert b"198.51.100.7" not in caught.value.told
    assert b"Firefox" not in caught.value.told


FREE = "%q\t%{recvFrom}i\t%{seqId}i\t%{dt}i\t%{ip}i"


def test_columns_of_another_kind_than_usual_say_nothing_that_they_do_not_hold():
    form = LineFormat.parse(FREE)

    _, receipt = read_line(b"?{}\tcp1\tseven\tyesterday\tnowhere", form, loads)

    assert receipt == Receipt(host="cp1")


NAMES = st.sampled_from(["event", "schema", "ip", "dt", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BLANKS_ESCAPED = str.maketrans({" ": "\\u0020"})


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(NAMES | st.text(), VALUES, max_size=5))
def test_every_capsule_that_was_logged_is_read_back(capsule):
    plain = json.dumps(capsule, separators=(",", ":")).translate(BLANKS_ESCAPED)

    from_query, _ = read_line(line_of(capsule), PRODUCTION, loads)
    from_json, _ = read_line(f"1 EventLogging {plain}\n".encode(), SERVER_SIDE, loads)

    assert from_query == from_json == capsule


PIECES = [*'?%{}[]" \t\n-:;,T0129', "\udcff", "%7B", "%7D", "%22", "é", "\x85", "EventLogging "]
LINES = st.lists(st.sampled_from([*PIECES, "2019-11-05T10:20:30", "{}"]), max_size=30).map(
    lambda parts: "".join(parts).encode("utf-8", "surrogateescape")
)


@settings(deadline=None)
@given(
    LINES | st.binary(max_size=80) | LINES.map(lambda tail: line_of() + tail),
    st.sampled_from([LineFormat.parse(text) for text in (*FORMATS, FREE)]),
)
def test_any_other_line_raises_a_legacy_error_and_nothing_else(line, form):
    try:
        answer = read_line(line, form, loads)
    except LegacyError as error:
        answer = error

    if isinstance(answer, LegacyError):
        assert answer.reason == "malformed"
    else:
        capsule, receipt = answer
        assert isinstance(capsule, dict)
        assert all(value.encode() for value in receipt.offers().values())


@pytest.mark.parametrize(
    ("start", "unit"),
    [
        (b"", b"?"),
        (b"", b"\xff"),
        (b"?", b'"ip":'),
        (b"?", b'"ip":"'),
        (b"?", b'"ip":"\\'),
        (b"?", b'"ip" '),
        (b"?", b"%22ip%22%3A+"),
        (b"?{} cp1 1 2019-11-05T10:20:30 1 ", b'"'),
        (b"?{} cp1 1 2019-11-05T10:20:30 ", b"1 "),
        (b"?{} cp1 ", b"1"),
    ],
)
def test_the_cost_of_reading_grows_with_the_length_and_not_faster(start, unit):
    """Quadratic work would take 64 times as long for eight times the length, linear work 8."""

    def cost(size):
        line = start + unit * (size // len(unit)) + b" cp1 1 2019-11-05T10:20:30 1 2"
        best = float("inf")
        for _ in range(5):
            began = time.process_time()
            with suppress(LegacyError):
                read_line(line, PRODUCTION, loads)
            best = min(best, time.process_time() - began)
        return best

    assert cost(160_000) < 30 * max(cost(20_000), 0.00005)
