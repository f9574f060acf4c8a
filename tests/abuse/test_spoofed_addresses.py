"""Headers that claim another address, sent to a running service: only trusted proxies count."""

import itertools
import json
import time
from contextlib import contextmanager

import httpx
import pytest

from tests.abuse.corpora.wires import SCHEMA_URI, STREAM, settings
from tests.support import served

pytestmark = pytest.mark.slow

OURS = "127.0.0.1"  # where these tests connect from
CLAIMED = "203.0.113.66"
ADDRESS_HEADERS = [
    *("x-forwarded-for", "x-client-ip", "forwarded", "x-real-ip", "true-client-ip", "client-ip"),
    *("x-cluster-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-originating-ip"),
    *("x-remote-ip", "x-remote-addr", "remote-addr", "x-forwarded", "forwarded-for", "via", "from"),
    *("x-proxyuser-ip", "wl-proxy-client-ip", "x-envoy-external-address", "x-azure-clientip"),
]
WAYS = [
    CLAIMED,
    f"for={CLAIMED}",
    f'for="{CLAIMED}:4711";proto=https;by=127.0.0.1',
    f"{CLAIMED}, 127.0.0.1",
    f"127.0.0.1, {CLAIMED}",
    f"{CLAIMED}:443",
    f"::ffff:{CLAIMED}",
    "unknown",
    "_hidden",
]
NUMBERS = itertools.count()


@contextmanager
def listening(folder, **more):
    (folder / "sluiceway.yaml").write_text(json.dumps(settings(folder)))
    with served(folder, "--config", "sluiceway.yaml", **more) as service:
        yield service
        assert "Traceback" not in (folder / "stderr.txt").read_text()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A service without a proxy in front of it."""
    with listening(tmp_path_factory.mktemp("alone")) as service:
        yield service


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """A service that trusts this machine, and a network beyond it."""
    trusted = json.dumps([OURS, "198.51.100.0/24"])
    folder = tmp_path_factory.mktemp("proxied")
    with listening(folder, SLUICEWAY_HTTP__TRUSTED_PROXIES=trusted) as service:
        yield service


def addresses(service, requests):
    """Post an event with each of these lists of headers; return the addresses that were stored."""
    numbers = []
    with httpx.Client(base_url=service.url, timeout=20) as client:
        for headers in requests:
            numbers.append(next(NUMBERS))
            event = {"$schema": SCHEMA_URI, "meta": {"stream": STREAM}, "number": numbers[-1]}
            answer = client.post("/v1/events", json=event, headers=headers)
            assert answer.status_code == 201, headers
    rows = service.log("--stream", STREAM, "--limit", "100000")
    stored = {row["event"]["number"]: row["event"]["http"]["client_ip"] for row in rows}
    return [stored[number] for number in numbers]


def test_without_trusted_proxies_no_header_makes_another_address_of_ours(alone):
    requests = [[(name, way)] for name in ADDRESS_HEADERS for way in WAYS]
    requests += [[(name, CLAIMED) for name in ADDRESS_HEADERS], [("x-forwarded-for", OURS)] * 50]

    assert addresses(alone, requests) == [OURS] * len(requests)


def test_a_trusted_proxy_speaks_by_two_headers_and_no_other(proxied):
    others = [name for name in ADDRESS_HEADERS if name not in {"x-forwarded-for", "x-client-ip"}]
    requests = [[(name, way)] for name in others for way in WAYS]

    assert addresses(proxied, requests) == [OURS] * len(requests)


FORWARDED = {
    "one hop": ([CLAIMED], CLAIMED),
    "what a client wrote stands before": (["192.0.2.1", CLAIMED], CLAIMED),
    "the same in one line": ([f"192.0.2.1, {CLAIMED}"], CLAIMED),
    "a trusted hop is passed over": ([f"{CLAIMED}, 198.51.100.7"], CLAIMED),
    "trusted hops only": (["198.51.100.8, 198.51.100.7"], "198.51.100.8"),
    "who claims to be a trusted hop is believed no further": (
        [f"192.0.2.1, 198.51.100.9, {CLAIMED}, 198.51.100.7"],
        CLAIMED,
    ),
    "nonsense ends the walk": (["192.0.2.1, unknown, 198.51.100.7"], "198.51.100.7"),
    "nonsense alone": (["unknown"], OURS),
    "with a port": ([f"{CLAIMED}:443"], OURS),
    "nothing": ([""], OURS),
    "commas": ([",,,"], OURS),
    "a network": ([f"{CLAIMED}/32"], OURS),
    "a number": (["3405803842"], OURS),
    "octal": (["0313.0.0161.0102"], OURS),
    "mapped into IPv6": ([f"::ffff:{CLAIMED}"], CLAIMED),
    "mapped, and trusted": ([f"{CLAIMED}, ::ffff:198.51.100.7"], CLAIMED),
    "with a scope": (["fe80::1%eth0"], OURS),
    "a thousand hops": ([", ".join(["192.0.2.1"] * 1_000 + [CLAIMED])], CLAIMED),
    "a thousand trusted hops": (
        [", ".join(["192.0.2.1"] + ["198.51.100.7"] * 1_000)],
        "198.51.100.7",
    ),
}


@pytest.mark.parametrize("name", FORWARDED)
def test_of_the_hops_the_last_that_is_not_trusted_is_the_client(proxied, name):
    lines, client = FORWARDED[name]

    assert addresses(proxied, [[("x-forwarded-for", line) for line in lines]]) == [client]


def test_two_addresses_in_the_header_for_one_are_none(proxied):
    twice = [("x-client-ip", CLAIMED), ("x-client-ip", "192.0.2.1")]

    assert addresses(proxied, [twice, [("x-client-ip", f"{CLAIMED}, 192.0.2.1")]]) == [OURS, OURS]


def test_a_header_that_the_proxies_only_pass_on_can_be_left_out(tmp_path):
    with listening(
        tmp_path,
        SLUICEWAY_HTTP__TRUSTED_PROXIES=json.dumps([OURS]),
        SLUICEWAY_HTTP__CLIENT_ADDRESS_HEADERS=json.dumps(["x-forwarded-for"]),
    ) as service:
        brought = [("x-client-ip", "192.0.2.1"), ("x-forwarded-for", f"192.0.2.1, {CLAIMED}")]

        assert addresses(service, [brought, brought[:1]]) == [CLAIMED, OURS]


def test_hops_without_number_cost_no_time(proxied):
    hops = [[("x-forwarded-for", "198.51.100.7," * 4_900)] for _ in range(100)]
    started = time.monotonic()

    assert addresses(proxied, hops) == [OURS] * 100
    assert time.monotonic() - started < 5
