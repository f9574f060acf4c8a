"""Compressed bodies: inflated within the limit, or refused; never another error, never more."""

import gzip
import zlib

from app.core.errors import EventTooLarge, MalformedEvent, UnsupportedMedia
from app.web.inflate import RAW_DEFLATE, inflated, zstd
from tests.fuzz.target import Target, chosen, split

LIMIT = 4_096
ENCODINGS = ["gzip", "x-gzip", "deflate", "zstd", "br", "gzip, gzip", "identity"]
PACK = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}


def one(data: bytes) -> None:
    """Inflate bytes; the first one chooses the encoding. Then pack them, and inflate that."""
    choice, body = split(data, len(ENCODINGS))
    _inflate(body, ENCODINGS[choice])
    for encoding, pack in PACK.items():
        assert inflated(pack(body), encoding, len(body)) == body, "it does not come back"


def _inflate(body: bytes, encoding: str) -> None:
    try:
        value = inflated(body, encoding, LIMIT)
    except EventTooLarge:
        return
    except UnsupportedMedia:
        assert encoding not in ("gzip", "x-gzip", "deflate", "zstd")
        return
    except MalformedEvent as error:
        assert str(error)
        return
    assert len(value) <= LIMIT, "more than the limit"
    if encoding in ("gzip", "x-gzip"):
        assert value == gzip.decompress(body), "Python's gzip reads another text"


def seeds() -> list[bytes]:
    """Return texts packed in every way, whole, cut, joined and changed."""
    text = b'{"a":[1,2,3]}' * 20
    raw = zlib.compressobj(wbits=RAW_DEFLATE)
    bombs = [gzip.compress(bytes(100_000)), zstd.compress(bytes(100_000))]
    packed = [pack(text) for pack in PACK.values()] + [raw.compress(text) + raw.flush()]
    changed = [one[:10] + b"\xff" + one[11:] for one in packed]
    whole = [*packed, *bombs, packed[0] * 3, packed[2] * 2, packed[1] + b"x", *changed, b""]
    return [
        chosen(choice, body[:end])
        for choice in range(len(ENCODINGS))
        for body in whole
        for end in (len(body), len(body) // 2)
    ]


TARGET = Target("inflation", one, seeds)
