"""The beacon: a percent-encoded JSON object as the whole query string, ended by `;`."""

from binascii import a2b_qp
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from legacy.capsule import object_in, without_secrets
from legacy.errors import LegacyError

Loads = Callable[[bytes], Any]


def capsule_of(query: bytes, loads: Loads) -> dict[str, Any]:
    """Return the capsule that a raw query string holds; raises LegacyError.

    `loads` parses JSON and raises ValueError for what it does not take; where that has a `pointer`
    attribute, it is passed on.
    """
    # The ';' told whole queries from cut ones, but nobody ever looked, and many clients send none.
    # The old service stripped '?' and ';', its successor in PHP '&' as well.
    stripped = query.strip(b"?;&")
    if not stripped:
        raise _malformed(
            "The query is empty.",
            got="nothing",
            hint="Send the percent-encoded JSON of the capsule as the whole query string.",
        )
    text = unquote(stripped)
    try:
        capsule = loads(text)
    except ValueError as error:
        raise _undecodable(text, error) from error
    return object_in(capsule, "The query")


def unquote(query: bytes) -> bytes:
    """Return `query` with `+` read as a blank and `%XX` as a byte.

    A `%` that two hexadecimal digits do not follow stays as it is.
    """
    blanks = query.replace(b"+", b" ")
    if b"=" in blanks or b"\n" in blanks or b"\r" in blanks:
        return unquote_to_bytes(blanks)
    # Quoted-printable is the same code with '=' for '%', and thirteen times as fast. It takes two
    # bytes away for each whole escape and fewer for anything else (line breaks, which could take
    # more, are excluded above): when the length is right, every escape was whole.
    decoded = a2b_qp(blanks.replace(b"%", b"="))
    if len(decoded) == len(blanks) - 2 * blanks.count(b"%"):
        return decoded
    return unquote_to_bytes(blanks)


def _undecodable(text: bytes, error: ValueError) -> LegacyError:
    try:
        text.decode()
    except UnicodeDecodeError as not_utf8:
        return _malformed(
            "The query is not UTF-8.",
            got=f"the byte 0x{text[not_utf8.start]:02X}, {not_utf8.reason}",
            hint="Encode text as UTF-8 before percent-encoding it.",
            told=_told(text),
        )
    return _malformed(
        "The query is not JSON that we read.",
        got=str(error)[:200],
        hint=_hint(text),
        pointer=getattr(error, "pointer", None),
        told=_told(text),
    )


def _told(text: bytes) -> bytes | None:
    told = without_secrets(text)
    return None if told == text else told


def _hint(text: bytes) -> str:
    if text[:3].upper() == b"%7B":
        return "Percent-encode the capsule once; this one was encoded twice."
    if not text.lstrip(b" \t\r\n").startswith(b"{"):
        return "The whole query string is the capsule; there are no parameters around it."
    if not text.rstrip(b" \t\r\n").endswith(b"}"):
        return "The end is missing: send less, or mend what cuts URLs on the way."
    return "Encode the capsule with a JSON library, then percent-encode the whole text once."


def _malformed(
    message: str,
    *,
    got: str,
    hint: str,
    pointer: str | None = None,
    told: bytes | None = None,
) -> LegacyError:
    return LegacyError(
        message,
        reason="malformed",
        pointer=pointer,
        expected="a JSON object, percent-encoded",
        got=got,
        hint=hint,
        told=told,
    )
