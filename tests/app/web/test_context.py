import pytest

from app.web.context import Contexts, Headers


def scope(peer, **headers):
    raw = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return {"client": (peer, 1), "headers": raw}


@pytest.mark.parametrize(
    ("peer", "headers", "client_ip"),
    [
        ("203.0.113.9", {"x_client_ip": "192.0.2.1"}, "203.0.113.9"),
        ("203.0.113.9", {"x_forwarded_for": "192.0.2.1"}, "203.0.113.9"),
        ("10.0.0.1", {}, "10.0.0.1"),
        ("10.0.0.1", {"x_client_ip": "192.0.2.1"}, "192.0.2.1"),
        ("10.0.0.1", {"x_client_ip": " 2001:db8::1 "}, "2001:db8::1"),
        ("10.0.0.1", {"x_client_ip": "nonsense", "x_forwarded_for": "192.0.2.2"}, "10.0.0.1"),
        (
            "10.0.0.1",
            {"x_client_ip": "8.8.8.8, 192.0.2.1", "x_forwarded_for": "9.9.9.9"},
            "10.0.0.1",
        ),
        ("10.0.0.1", {"x_forwarded_for": "192.0.2.1, 198.51.100.7"}, "198.51.100.7"),
        ("10.0.0.1", {"x_forwarded_for": "192.0.2.1,10.0.0.2"}, "192.0.2.1"),
        ("10.0.0.1", {"x_forwarded_for": "evil, 198.51.100.7,10.0.0.2"}, "198.51.100.7"),
        ("10.0.0.1", {"x_forwarded_for": "evil"}, "10.0.0.1"),
        ("10.0.0.1", {"x_forwarded_for": "10.0.0.3, 10.0.0.2"}, "10.0.0.3"),
        ("::ffff:10.0.0.1", {"x_client_ip": "192.0.2.1"}, "192.0.2.1"),
        ("unix", {"x_client_ip": "192.0.2.1"}, "unix"),
    ],
)
def test_only_trusted_proxies_may_say_for_whom_they_speak(peer, headers, client_ip):
    contexts = Contexts(trusted_proxies=["10.0.0.0/8"])

    assert contexts.of(scope(peer, **headers), "test").client_ip == client_ip


def test_nobody_is_trusted_by_default():
    contexts = Contexts(trusted_proxies=[])

    context = contexts.of(scope("127.0.0.1", x_client_ip="192.0.2.1"), "test")

    assert context.client_ip == "127.0.0.1"


def test_a_request_without_an_id_gets_one_and_keeps_it():
    contexts = Contexts(trusted_proxies=[])

    with_id = contexts.of(scope("::1", x_request_id="r-1"), "test")
    without = contexts.of(scope("::1"), "test")

    assert with_id.header("x-request-id") == "r-1"
    assert without.header("x-request-id") == without.header("x-request-id") is not None


def test_repeated_headers_are_joined_and_odd_bytes_are_kept():
    header = Headers([(b"a", b"1"), (b"a", b"2"), (b"b", b"\xe9"), (b"c", b"\xc3\xa9")]).get

    assert header("a") == "1, 2"
    assert header("b") == "é"
    assert header("c") == "é"
    assert header("d") is None


def test_blanks_around_a_headers_value_are_none_of_it():
    header = Headers([(b"user-agent", b"\t Agent/1 \t ")]).get

    assert header("user-agent") == "Agent/1"
