"""The page of verdicts, made of the corpora: `python -m tests.abuse.corpora.verdicts`."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from tests.abuse.corpora.case import JsonText, Naughty, Uri
from tests.abuse.corpora.jsontexts import JSON_TEXTS, WHOLE_EVENT
from tests.abuse.corpora.naughty import NAUGHTY
from tests.abuse.corpora.numbers import NUMBERS
from tests.abuse.corpora.uris import URIS

PAGE = Path(__file__).parents[3] / "docs" / "verdicts.md"
MAX_SHOWN = 48

INTRODUCTION = """# Verdicts on odd input

What becomes of each text, string, number and URI that breaks programs: one verdict each, whichever wire it comes on.
This page is made of the corpora in `tests/abuse/corpora/`, which the tests in `tests/abuse/` send to the service on every wire; a test compares the page with them.

- **stored**: the event is accepted and stored, and what is read back is what was sent.
- **malformed**, and other single words: the event is refused for that [reason](errors.md): 400 for a `POST`; 204 and an error event for a beacon, which is always answered so.
- **ignored**: there is no event to speak of.

Control characters and what is not ASCII are shown escaped, long texts cut.
"""

JSON = """## Texts of JSON

A text is sent as the value of a field of an otherwise good event, or, where it says *whole*, as the whole body; `<event>` stands for a good event.
It is sent as the body of `POST /v1/events`, as the query of a beacon, and as the body of a beacon.
RFC 8259 says of a text that readers *must accept* it, *must refuse* it, or that it is *ours* to decide.
"""

CUT = """### Cut anywhere

A document of {size} bytes, cut after each of its bytes, is **malformed** each time, on both wires.
"""

NUMBERS_TEXT = """## Numbers

Integers of 64 bits keep their exact value; what has a fraction or an exponent is the double that every reader makes of it; anything else is refused.
Each is sent on both wires, alone, beside others in a batch, and behind a byte order mark (which another reader reads).
"""

STRINGS = """## Naughty strings

Each string is sent as a value, as an item, as a key and deep inside, in modern events and in beacons, written with escapes and without; as `meta.id`, `meta.dt`, `meta.request_id` and `meta.domain`; as the name of a stream, a schema, a topic and an old schema; as query parameters; and as the request headers `User-Agent`, `Referer`, `X-Request-Id`, `X-Client-IP`, `X-Forwarded-For`, `Forwarded` and `Cookie`.

- *In a field*, a key and `meta` it is stored exactly, or refused as the table says. `meta.dt` is always the time of receipt, except with `meta_dt: client`.
- *As a stream* it is refused as `unknown_stream`, as a schema as `schema_not_found`, as the name of an old schema as `missing_field` or `unmapped_schema`, all with 400; an empty one as `missing_field`; the name of the error stream as `stream_reserved`.
- *In the query* `hasty` is 400 unless it is one of its seven words; a parameter that is not ours is ignored if the query is UTF-8, else 400.
- *As an address* from a trusted proxy it counts only if it is one.
- *In a header* that the stream collects it is stored exactly, without blanks at its ends (*trimmed*, RFC 9110), or its first 400 characters (*cut*); what no HTTP request can carry (*cannot*) is 400.
"""

URIS_TEXT = """## URIs that must lead nowhere

Each is sent as `$schema`, as `meta.schema_uri` of an EventBus event, as `meta.stream`, as both query parameters, behind `/v1/schemas/` in several encodings, and as `$ref` and `$schema` of a schema.
An event is refused with 400 and the reason shown (503 for `schema_unavailable`), `/v1/schemas/` answers 404 (or 503), a schema that refers to it is refused.
Every file that the process opens and every connection that it makes is watched meanwhile: no file outside of the repository is opened, no name is looked up, and nobody knocks at the port `{trap}`.
"""


def page() -> str:
    """Return the page as it should be."""
    return "\n".join([INTRODUCTION, *_json(), *_numbers(), *_strings(), *_uris()])


def _json() -> Iterable[str]:
    yield JSON
    for title, cases in JSON_TEXTS.items():
        yield f"### {title}\n"
        header = ("name", "text", "RFC 8259", "verdict", "why")
        yield _table(header, [_json_row(case) for case in cases])
    yield CUT.format(size=len(WHOLE_EVENT))


def _json_row(case: JsonText) -> tuple[str, ...]:
    verdict = f"**{case.verdict}**"
    if case.beacon == "414":
        verdict += "; as a query 414"
    elif case.beacon:
        verdict += f"; as a query **{case.beacon}**"
    shown = _shown(case.text.decode("utf-8", "surrogateescape"))
    return case.name, shown, case.kind + (", whole" if case.whole else ""), verdict, case.why


def _numbers() -> Iterable[str]:
    yield NUMBERS_TEXT
    rows = [
        (n.name, _shown(n.text), "**malformed**" if n.stored is None else f"`{n.stored}`", n.why)
        for n in NUMBERS
    ]
    yield _table(("name", "sent", "stored", "why"), rows)


def _strings() -> Iterable[str]:
    yield STRINGS

    def group(naughty: Naughty) -> str:
        return naughty.group

    for title, cases in groupby(NAUGHTY, group):
        yield f"### {title}\n"
        rows = [(n.name, _shown(n.text), f"**{n.field}**", f"**{n.header}**") for n in cases]
        yield _table(("name", "text", "in a field", "in a header"), rows)


def _uris() -> Iterable[str]:
    yield URIS_TEXT

    def group(uri: Uri) -> str:
        return uri.group

    for title, cases in groupby(sorted(URIS, key=group), group):
        yield f"### {title}\n"
        rows = [
            (
                uri.name,
                _shown(uri.text),
                f"**{uri.reason}**"
                + (f"; of EventBus **{uri.eventbus}**" if uri.eventbus != uri.reason else ""),
            )
            for uri in cases
        ]
        yield _table(("name", "text", "verdict"), rows)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(text: str) -> str:
    """Return a text as code in ASCII, cut, that a table can hold."""
    shown = "".join(map(_escaped, text[: MAX_SHOWN + 1]))
    size = f" … ({len(text):,})" if len(shown) > MAX_SHOWN else ""
    shown = shown[:MAX_SHOWN]
    shown = shown.replace("`", "\\x60").replace("|", "\\|")
    if not shown:
        return "nothing"
    return f"` {shown} `{size}" if shown != shown.strip() else f"`{shown}`{size}"


def _escaped(character: str) -> str:
    number = ord(character)
    if character.isascii():
        return character if character.isprintable() else f"\\x{number:02x}"
    if "\udc80" <= character <= "\udcff":  # the byte that it was, which is no UTF-8
        return f"\\x{number - 0xDC00:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


if __name__ == "__main__":
    PAGE.write_text(page())
