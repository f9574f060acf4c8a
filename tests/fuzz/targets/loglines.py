"""Lines of old logs in every format that was in use: decoded, or refused with a LegacyError."""

from app.core.json import dumps, loads
from legacy.adapter import LegacyAdapter
from legacy.errors import LegacyError
from legacy.formats import FORMATS, LineFormat
from legacy.mapping import Mapping
from tests.fuzz.target import Target, chosen, split

RECEIVED = "2024-02-03T04:05:06.789Z"
REASONS = frozenset(("malformed", "missing_field", "unmapped_schema"))
LINE_FORMATS = [LineFormat.parse(name) for name in FORMATS]
ADAPTER = LegacyAdapter(
    Mapping.parse({"schemas": {"A": {"schema_uri": "/a/b/1.0.0", "stream": "a.b"}}}), loads=loads
)


def one(data: bytes) -> None:
    """Read bytes as a line; the first byte chooses the format."""
    choice, line = split(data, len(LINE_FORMATS))
    form = LINE_FORMATS[choice]
    try:
        body, offers = ADAPTER.log_line(line, received_dt=RECEIVED, form=form)
    except LegacyError as error:
        assert error.reason in REASONS
        assert str(error)
        return
    dumps(body)
    dumps(offers)
    assert repr(ADAPTER.log_line(line + b"\r\n", received_dt=RECEIVED, form=form)) == repr(
        (body, offers)
    ), "read twice, it is not the same"


def seeds() -> list[bytes]:
    """Return a line of each format, whole and cut."""
    query = b"?%7B%22schema%22%3A%22A%22%2C%22event%22%3A%7B%7D%7D;"
    moment = b"2018-02-03T04:05:06"
    lines = [
        b"%b host 12 %b" % (query, moment),
        b"%b host 12 %b 192.0.2.1" % (query, moment),
        b"%b\thost\t12\t%b\t192.0.2.1\tAgent/1 (b)" % (query, moment),
        b'%b host 12 %b 192.0.2.1 "Agent/1 (b)"' % (query, moment),
        b"%b\thost\t12\t%b\t-\tAgent" % (query, moment),
        b"%b host 12 %b 2001:db8::1 -" % (query, moment),
        b'12 EventLogging {"schema":"A","event":{"a":"\\u0020"}}',
    ]
    return [
        chosen(choice, line[:end])
        for choice in range(len(LINE_FORMATS))
        for line in lines
        for end in (len(line), len(line) - 5)
    ]


TARGET = Target("loglines", one, seeds)
