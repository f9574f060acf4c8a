import gzip
import time
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import EventError, EventTooLarge
from app.web.inflate import inflated, zstd

ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}
LIMIT = 1000


@pytest.mark.parametrize("encoding", ENCODERS)
@given(body=st.binary(max_size=LIMIT))
def test_what_was_compressed_reads_back_up_to_the_limit(encoding, body):
    assert inflated(ENCODERS[encoding](body), encoding, LIMIT) == body


@pytest.mark.parametrize("encoding", ENCODERS)
@given(extra=st.integers(1, 5000))
def test_one_byte_more_is_too_large(encoding, extra):
    with pytest.raises(EventTooLarge):
        inflated(ENCODERS[encoding](b"x" * (LIMIT + extra)), encoding, LIMIT)


@pytest.mark.parametrize("encoding", [*ENCODERS, "br", ""])
@given(body=st.binary(max_size=60))
def test_any_bytes_give_a_body_or_an_error_of_ours(encoding, body):
    with suppress(EventError):
        assert len(inflated(body, encoding, LIMIT)) <= LIMIT


def test_a_gzip_body_may_have_several_members():
    body = gzip.compress(b"a") + gzip.compress(b"b")

    assert inflated(body, "gzip", LIMIT) == b"ab"


def test_a_zstd_body_that_wants_a_huge_window_is_refused():
    options = {zstd.CompressionParameter.window_log: 27}
    compressor = zstd.ZstdCompressor(options=options)
    body = compressor.compress(b"x" * 10) + compressor.flush()

    with pytest.raises(EventError):
        inflated(body, "zstd", LIMIT)


def test_very_many_members_cost_no_more_than_their_bytes():
    """Counted in copies of the body, not in time: each member may copy one slice, no more."""
    members = 50_000
    body = gzip.compress(b"") * members

    started = time.process_time()
    assert inflated(body, "gzip", LIMIT) == b""
    many = time.process_time() - started
    started = time.process_time()
    assert inflated(body[: len(body) // 5], "gzip", LIMIT) == b""
    few = time.process_time() - started

    assert many < few * 15  # five times the members; their square would be 25 times
