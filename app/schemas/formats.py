"""Formats with the meaning that EventGate gives them, as patterns that cost no call into Python.

They look at the form of a text, not at the calendar: hour 25 or the 30th of February pass, as they
always did; what consumers cannot parse at all does not. Formats that are not here are not checked.
"""

from collections.abc import Iterable

from app.schemas.repository import Document

_DATE = "[0-9]{4}-[01][0-9]-[0-3][0-9]"
_MONTH_CHECKED = "[0-9]{4}-(?:0[0-9]|1[0-2])-[0-3][0-9]"
_TIME = r"[0-2][0-9]:[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_OFFSET = "(?:[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)"
_ALNUM = "[0-9A-Za-z]"
_HEX = "[0-9a-fA-F]"
_LABEL = f"{_ALNUM}(?:[0-9A-Za-z-]{{0,61}}{_ALNUM})?"
_HOST = f"{_LABEL}(?:\\.{_LABEL})*"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"
_IPV4 = f"{_OCTET}(?:\\.{_OCTET}){{3}}"
_GROUP = f"{_HEX}{{1,4}}"


def _ipv6() -> str:
    """Eight groups, the last two possibly an IPv4 address, one run of them possibly left out."""
    tail = f"(?:{_GROUP}:{_GROUP}|{_IPV4})"
    forms = [f"(?:{_GROUP}:){{6}}{tail}"]
    for before in range(8):
        head = f"(?:{_GROUP}(?::{_GROUP}){{{before - 1}}})?" if before else ""
        after = 7 - before  # at least one group is left out
        ends = [f"(?:{_GROUP}(?::{_GROUP}){{0,{after - 1}}})?" if after else ""]
        if after >= 2:  # noqa: PLR2004 (an IPv4 address takes the room of two groups)
            ends.append(f"(?:{_GROUP}:){{0,{after - 2}}}{_IPV4}")
        forms.append(f"{head}::(?:{'|'.join(reversed(ends))})")
    return f"(?:{'|'.join(forms)})"


PATTERNS = {
    "date": f"^{_DATE}$",
    "time": f"^{_TIME}{_OFFSET}?$",
    "date-time": f"^{_MONTH_CHECKED}[tT\\s]{_TIME}{_OFFSET}$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s]*$",
    "uri-reference": r"^(?:[^\s\\#][^\s#]*)?(?:#[^\s\\]*)?$",
    "email": f"^[0-9A-Za-z.!#$%&'*+/=?^_`{{|}}~-]+@{_HOST}$",
    "hostname": f"^{_HOST}\\.?$",
    "ipv4": f"^{_IPV4}$",
    "ipv6": f"^{_ipv6()}(?:%[^\\s]+)?$",
    "uuid": f"^(?:[uU][rR][nN]:[uU][uU][iI][dD]:)?{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}$",
}
FORMATS = {pattern: name for name, pattern in PATTERNS.items()}
"""Which format a violated pattern stands for."""


def put_formats_into_patterns(schemas: Iterable[Document]) -> None:
    """Add to each schema that has a `format` the pattern that checks it. Edits the schemas."""
    for node in schemas:
        name = node.get("format")
        pattern = PATTERNS.get(name) if isinstance(name, str) else None
        if pattern is None:
            continue
        if "pattern" in node:
            node["allOf"] = [*node.get("allOf", ()), {"pattern": pattern}]
        else:
            node["pattern"] = pattern
