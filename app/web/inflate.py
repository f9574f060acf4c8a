"""Inflation of compressed request bodies, never beyond a limit."""

import sys
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

from app.core.errors import EventTooLarge, MalformedEvent, UnsupportedMedia

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP = 16 + zlib.MAX_WBITS
RAW_DEFLATE = -zlib.MAX_WBITS
ZSTD_WINDOW_LOG = 23  # 8 MiB, what RFC 9659 lets a server expect

SLICE = 4_096

ENCODINGS = ("gzip", "deflate", "zstd")


def inflated(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the body without its content encoding.

    Raises UnsupportedMedia for an encoding that we do not read, EventTooLarge beyond `limit` bytes,
    MalformedEvent for a body that is damaged, cut or followed by something else.
    """
    try:
        match encoding:
            case "gzip" | "x-gzip":
                return _gunzip(body, limit)
            case "deflate":
                return _undeflate(body, limit)
            case "zstd":
                return _unzstd(body, limit)
    except (zlib.error, zstd.ZstdError, EOFError) as error:
        raise MalformedEvent(
            f"The body is not {encoding}, or is damaged: {error}.",
            expected=f"a body compressed with {encoding}",
            hint="Send it again; if that fails, send it without content-encoding.",
        ) from error
    raise UnsupportedMedia(
        "The body's content encoding is none that we read.",
        expected=", ".join(ENCODINGS),
        got=encoding[:100],
        hint="Send it plain, or compressed once with one of these.",
    )


def _gunzip(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    room = limit
    at = 0
    member = zlib.decompressobj(GZIP)
    while True:
        if at == len(body):
            raise EOFError("it ends too early")
        # In slices: what follows a member is handed back, and copying all of it for each of many
        # small members would cost time in the square of their number.
        piece = body[at : at + SLICE]
        part = _all_of(partial(member.decompress, piece), room, limit)
        parts.append(part)
        room -= len(part)
        at += len(piece) - len(member.unused_data)
        if member.eof:
            if at == len(body):
                return b"".join(parts)
            member = zlib.decompressobj(GZIP)


def _undeflate(body: bytes, limit: int) -> bytes:
    # The standard says zlib; some clients send the bare stream, as some servers once demanded.
    try:
        return _deflated(body, limit, zlib.MAX_WBITS)
    except zlib.error:
        return _deflated(body, limit, RAW_DEFLATE)


def _deflated(body: bytes, limit: int, window: int) -> bytes:
    return _only(zlib.decompressobj(window), body, limit)


def _unzstd(body: bytes, limit: int) -> bytes:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
    return _only(zstd.ZstdDecompressor(options=options), body, limit)


def _only(stream: Any, body: bytes, limit: int) -> bytes:
    """Return what a stream makes of a body that must be that one stream and nothing else."""
    value = _all_of(partial(stream.decompress, body), limit, limit)
    if not stream.eof:
        raise EOFError("it ends too early")
    if stream.unused_data:
        raise EOFError("something follows its end")
    return value


def _all_of(decompress: Callable[[int], bytes], room: int, limit: int) -> bytes:
    # One byte more than allowed is asked for: getting it means that the body is too large.
    value = decompress(room + 1)
    if len(value) > room:
        raise EventTooLarge(
            f"The body inflates to more than {limit:,} bytes.",
            expected=f"at most {limit:,} bytes",
            hint="Send fewer events at once. The limit is the setting http.max_body_size.",
        )
    return value
