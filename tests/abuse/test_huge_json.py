"""JSON that is huge in one way: a million keys, events or numbers, ten megabytes of string."""

import base64
import gc
import itertools
import json
import string
import threading
import time
from contextlib import suppress

import httpx
import pytest

from tests.support import served

pytestmark = pytest.mark.slow

LIMIT = 10 * 1024 * 1024
EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
HEAD = json.dumps(EVENT).encode()[:-1] + b', "note": '


def keys(count):
    """An object with so many different keys, in eight bytes each."""
    names = itertools.product(string.ascii_letters, repeat=4)
    return (
        b"{"
        + b",".join(b'"%s":1' % "".join(n).encode() for n in itertools.islice(names, count))
        + b"}"
    )


def among(value):
    """A good event with a value of any kind beside its own."""
    return HEAD + value + b"}"


CASES = {
    "a million keys": (among(keys(1_000_000)), 413),
    "the same key a million times": (among(b"{" + b'"a":1,' * 1_000_000 + b'"a":1}'), 201),
    "a million events": (b"[" + b"{}," * 999_999 + b"{}]", 413),
    "a million numbers for events": (b"[" + b"1," * 999_999 + b"1]", 413),
    "as many bad events as are taken": (b"[" + b"{}," * 9_999 + b"{}]", 400),
    "a million numbers in an event": (among(b"[" + b"1," * 999_999 + b"1]"), 413),
    "three million arrays beside each other": (among(b"[" + b"[]," * 3_000_000 + b"[]]"), 413),
    "millions of arrays and half a character": (
        among(b"[" + b"[1]," * 2_400_000 + b'"\\ud800"]'),
        413,
    ),
    "millions of arrays and a number too many": (
        among(b"[" + b"[1]," * 2_400_000 + b"99999999999999999999]"),
        413,
    ),
    "a string of ten megabytes": (among(b'"' + b"a" * 10_000_000 + b'"'), 413),
    "a string of ten megabytes, escaped": (among(b'"' + b"\\u0061" * 1_600_000 + b'"'), 413),
    "quotes, escaped": (among(b'"' + b'\\"' * 4_900_000 + b'"'), 413),
    "half a pair at the end of megabytes": (among(b'"' + b"a" * 9_000_000 + b'\\ud800"'), 400),
    "a key of ten megabytes": (among(b'{"' + b"a" * 10_000_000 + b'":1}'), 413),
    "a stream of ten megabytes": (
        json.dumps(EVENT | {"meta": {"stream": "a" * 10_000_000}}).encode(),
        400,
    ),
    "a schema of ten megabytes": (
        json.dumps(EVENT | {"$schema": "/" + "a" * 10_000_000 + "/1.0.0"}).encode(),
        400,
    ),
    "a number of ten million digits": (among(b"1" * 10_000_000), 400),
    "a fraction of ten million digits": (among(b"0." + b"1" * 10_000_000), 201),
    "an exponent of ten million digits": (among(b"1e" + b"1" * 10_000_000), 400),
    "five million levels": (among(b"[" * 5_000_000 + b"]" * 5_000_000), 413),
    "ten million levels, never closed": (b"[" * 10_000_000, 413),
    "objects in objects, never closed": (b'{"a":' * 2_000_000, 413),
    "blanks": (b" " * (LIMIT - 2) + b"{}", 400),
    "noise": (base64.b64encode(bytes(range(256)) * 30_000), 400),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("huge")) as service:
        yield service
        service.assert_nothing_was_wrong()


def told_meanwhile(service, done, waits):
    """Post honest events until it is over; keep the service's CPU time while each waited."""
    with httpx.Client(base_url=service.url, timeout=60) as client:
        while not (waits and done.is_set()):
            before = service.busy(threads=True)
            assert client.post("/v1/events", json=EVENT).status_code == 201
            waits.append(service.busy(threads=True) - before)


def parsed(body):
    """Seconds of CPU that Python's own parser takes for a body, on this machine as it is now."""
    gc.disable()  # what other tests have left is not to be looked through meanwhile
    started = time.process_time()
    with suppress(ValueError, RecursionError):
        json.loads(body)
    took = time.process_time() - started
    gc.enable()
    return took


@pytest.mark.parametrize("name", CASES)
def test_what_is_huge_has_its_verdict_in_time_on_both_wires(service, name):
    body, status = CASES[name]
    assert len(body) <= LIMIT
    kind = {"content-type": "application/json"}
    done = threading.Event()
    waits = []
    honest = threading.Thread(target=told_meanwhile, args=(service, done, waits))
    honest.start()

    with httpx.Client(base_url=service.url, timeout=60) as client:
        started = service.busy(threads=True)
        posted = client.post("/v1/events", content=body, headers=kind)
        took = service.busy(threads=True) - started
        beacon = client.post("/beacon/event", content=body, headers=kind)

    done.set()
    honest.join()
    parse = parsed(body)
    print(f"\n{name}: {took:.2f} s, others waited for {max(waits):.2f} s, a parser {parse:.2f} s")
    assert (posted.status_code, beacon.status_code) == (status, 204)
    assert took < 2 + 10 * parse
    assert max(waits) < 1 + 5 * parse
    assert len(posted.content) < len(body) + 4 * 1024 * 1024
