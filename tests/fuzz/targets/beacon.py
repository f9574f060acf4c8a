"""The query of a beacon: read, or refused with a LegacyError; and unquoting, done two ways."""

from urllib.parse import quote_from_bytes, unquote_to_bytes

from app.core.json import dumps, loads
from legacy.beacon import capsule_of, unquote
from legacy.errors import LegacyError
from tests.abuse.corpora.naughty import NAUGHTY
from tests.fuzz.target import Target
from tests.fuzz.targets import json

RECEIVED = "2024-02-03T04:05:06.789Z"


def one(data: bytes) -> None:
    """Read bytes as the query of a URL."""
    assert unquote(data) == unquote_to_bytes(data.replace(b"+", b" ")), "unquoted wrongly"
    try:
        capsule = capsule_of(data, loads)
    except LegacyError as error:
        assert error.reason == "malformed"
        assert str(error)
        return
    query = quote_from_bytes(dumps(capsule), safe="").encode()
    assert repr(capsule_of(query + b";", loads)) == repr(capsule), "it is not read back"


def seeds() -> list[bytes]:
    """Return texts of JSON as queries, and odd queries."""
    texts = [text for text in json.seeds() if len(text) < 200]
    odd = [n.text.encode() for n in NAUGHTY if n.field == "stored" and len(n.text) < 200]
    return [
        *(quote_from_bytes(text).encode() for text in texts),
        *odd,
        b"?%7B%22schema%22%3A%22A%22%7D;",
        b"%7B%2",
        b"%zz%4%%41+%2b=\r\n",
    ]


TARGET = Target("beacon", one, seeds)
