"""Compressed bodies that inflate without end, are compressed by no rule we know, or are cut."""

import gzip
import json
import struct
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support import served

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
LIMIT = 10 * MIB
PENDING = 256 * MIB
EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
BODY = json.dumps(EVENT).encode()


def endless(window: int, mebibytes: int) -> bytes:
    """A stream of zlib, gzip or bare deflate that holds so many MiB of blanks, without its end."""
    stream = zlib.compressobj(9, zlib.DEFLATED, window)
    first = stream.compress(b" " * MIB) + stream.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a block needs nothing of what came before it, and can be repeated.
    again = stream.compress(b" " * MIB) + stream.flush(zlib.Z_FULL_FLUSH)
    return first + again * (mebibytes - 1)


def members(mebibytes: int) -> bytes:
    """A gzip body of so many whole members of a MiB each."""
    return gzip.compress(b" " * MIB) * mebibytes


def runs(mebibytes: int) -> bytes:
    """A frame of zstd with a block of four bytes for each 128 KiB (RFC 8878, 3.1.1)."""
    head = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x58"  # no checksum, no size, a window of 2 MiB
    block = (128 * 1024 << 3 | 1 << 1).to_bytes(3, "little") + b" "
    return head + block * (8 * mebibytes)


def boastful() -> bytes:
    """A frame of zstd that says of itself that it holds an exbibyte."""
    return b"\x28\xb5\x2f\xfd" + b"\xc0" + b"\x58" + struct.pack("<Q", 1 << 60) + runs(64)[6:]


BOMBS = {
    "gzip": ("gzip", endless(31, 5_000)),
    "gzip in members": ("gzip", members(5_000)),
    "zlib": ("deflate", endless(15, 5_000)),
    "bare deflate": ("deflate", endless(-15, 5_000)),
    "zstd in runs": ("zstd", runs(100_000)),
    "zstd that boasts": ("zstd", boastful()),
    "zstd of its own making": ("zstd", zstd.compress(b" " * 512 * MIB)),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("compressed")) as service:
        yield service
        service.assert_nothing_was_wrong()


@pytest.fixture
def client(service):
    with httpx.Client(base_url=service.url, timeout=20) as client:
        yield client
        assert client.post("/v1/events", content=BODY).status_code == 201


def peak(service) -> int:
    """The most memory that the process has had so far."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def refused_beacons(service) -> list[str]:
    """Why beacons were refused, in order, as the error stream tells."""
    return [
        row["event"]["reason"]
        for row in service.log("--stream", "sluiceway.error", "--limit", "100000")
        if row["event"]["source"] == "beacon"
    ]


def test_a_bomb_is_what_it_says():
    for _, bomb in BOMBS.values():
        assert len(bomb) < LIMIT
    assert len(zlib.decompressobj(31).decompress(BOMBS["gzip"][1], 60 * MIB)) == 60 * MIB
    assert len(zstd.ZstdDecompressor().decompress(BOMBS["zstd in runs"][1], 60 * MIB)) == 60 * MIB


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_no_more_than_the_largest_honest_body(service, client, name):
    encoding, bomb = BOMBS[name]
    honest = gzip.compress(BODY + b" " * (LIMIT - len(BODY)), compresslevel=1)
    for _ in range(3):
        answer = client.post("/v1/events", content=honest, headers={"content-encoding": "gzip"})
        assert answer.status_code == 201
    before = peak(service)
    beacons = refused_beacons(service)
    sent = [
        ("/v1/events", bomb),
        ("/v1/events?hasty", bomb),
        ("/v1/events", slices(bomb)),
        ("/beacon/event", bomb),
    ]
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    started = time.monotonic()

    answers = [client.post(path, content=content, headers=headers) for path, content in sent]

    took = (time.monotonic() - started) / len(sent)
    print(f"\n{name}: {took * 1000:.0f} ms each, {(peak(service) - before) / MIB:.1f} MiB more")
    assert [answer.status_code for answer in answers] == [413, 413, 413, 204]
    for answer in answers[:3]:
        assert answer.json()["invalid"][0]["reason"] == "too_large"
    assert refused_beacons(service) == [*beacons, "too_large"]
    assert took < 1
    assert peak(service) - before < 2 * LIMIT


@pytest.mark.parametrize(
    ("arrays", "statuses"), [(3_000_000, {413}), (500_000, {413, 503})], ids=["far", "just"]
)
def test_small_bodies_that_hold_very_many_values_take_little_memory(
    service, client, arrays, statuses
):
    dense = gzip.compress(BODY[:-1] + b', "note": [' + b"[]," * arrays + b"[]]}")
    headers = {"content-encoding": "gzip"}
    assert len(dense) < 10_000
    assert client.post("/v1/events", content=dense, headers=headers).status_code == 413
    before = peak(service)

    with ThreadPoolExecutor(10) as threads:
        asked = [
            threads.submit(client.post, "/v1/events", content=dense, headers=headers)
            for _ in range(10)
        ]
        answers = [each.result() for each in asked]

    print(f"\n{len(dense):,} bytes, ten times: {(peak(service) - before) / MIB:.1f} MiB more")
    assert {answer.status_code for answer in answers} <= statuses
    assert peak(service) - before < PENDING


def test_honest_requests_are_answered_while_bombs_go_off(service, client):
    name = "zstd in runs"
    encoding, bomb = BOMBS[name]
    before = peak(service)
    told = []

    def throw():
        with httpx.Client(base_url=service.url, timeout=20) as stranger:
            for _ in range(10):
                headers = {"content-encoding": encoding}
                told.append(stranger.post("/v1/events", content=bomb, headers=headers).status_code)

    throwers = [threading.Thread(target=throw) for _ in range(8)]
    for thrower in throwers:
        thrower.start()
    times = []
    while any(thrower.is_alive() for thrower in throwers):
        started = time.monotonic()
        assert client.post("/v1/events", content=BODY).status_code == 201
        times.append(time.monotonic() - started)
    for thrower in throwers:
        thrower.join()

    times.sort()
    late = times[int(len(times) * 0.99)]
    print(
        f"\n{len(told)} bombs beside {len(times)} honest requests: p99 {late * 1000:.0f} ms, "
        f"{(peak(service) - before) / MIB:.0f} MiB more"
    )
    assert set(told) <= {413, 503}  # 503: too many bytes are in work
    assert late < 0.5
    assert peak(service) - before < len(throwers) * 3 * LIMIT


ENCODINGS = [
    *("br", "compress", "gzip, gzip", "gzip,gzip", "identity, gzip", "deflate, gzip", "gzip;q=1"),
    *(
        "gzip,",
        ",",
        "*",
        "none",
        "utf-8",
        "gzip gzip",
        "x-zstd",
        "lzma",
        "aws-chunked",
        "a" * 5_000,
    ),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_no_encoding_of_ours_is_415_and_nothing_is_inflated(client, encoding):
    body = gzip.compress(gzip.compress(BODY))

    answer = client.post("/v1/events", content=body, headers={"content-encoding": encoding})

    assert answer.status_code == 415
    (told,) = answer.json()["invalid"]
    assert told["reason"] == "unsupported_media"
    assert len(answer.content) < 2_000


def test_an_encoding_that_is_named_twice_in_two_headers_is_415(client):
    headers = [(b"content-encoding", b"gzip"), (b"content-encoding", b"gzip")]

    answer = client.post("/v1/events", content=gzip.compress(BODY), headers=headers)

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(gzip.compress(BODY))),
        ("gzip", zlib.compress(BODY)),
        ("gzip", zstd.compress(BODY)),
        ("deflate", gzip.compress(BODY)),
        ("zstd", gzip.compress(BODY)),
        ("zstd", zstd.compress(zstd.compress(BODY))),
        ("zstd", zstd.compress(BODY) * 2),
        ("identity", gzip.compress(BODY)),
        ("gzip", BODY),
    ],
)
def test_a_body_that_is_not_what_its_header_says_is_400(client, encoding, body):
    answer = client.post("/v1/events", content=body, headers={"content-encoding": encoding})

    assert answer.status_code == 400
    assert answer.json()["invalid"][0]["reason"] == "malformed"


def test_a_compressed_body_without_a_word_about_it_is_400(client):
    for body in (gzip.compress(BODY), zlib.compress(BODY), zstd.compress(BODY)):
        assert client.post("/v1/events", content=body).status_code == 400


@pytest.mark.parametrize(
    ("encoding", "whole"),
    [
        ("gzip", gzip.compress(BODY)),
        ("gzip", gzip.compress(b"[" + BODY + b",") + gzip.compress(BODY + b"]")),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY, wbits=-15)),
        ("zstd", zstd.compress(BODY)),
    ],
    ids=["gzip", "gzip in members", "zlib", "bare deflate", "zstd"],
)
def test_a_stream_that_is_cut_anywhere_is_400(service, client, encoding, whole):
    headers = {"content-encoding": encoding}
    assert client.post("/v1/events", content=whole, headers=headers).status_code == 201
    stored = len(service.log("--stream", "demo.button.click", "--limit", "100000"))

    told = {
        client.post("/v1/events", content=whole[:end], headers=headers).status_code
        for end in range(len(whole))
    }

    assert told == {400}
    assert len(service.log("--stream", "demo.button.click", "--limit", "100000")) == stored


def slices(body: bytes) -> Iterator[bytes]:
    """The body in pieces, which is sent in chunks."""
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]
