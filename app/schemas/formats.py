"""Formats with the meaning that EventGate gives them, as patterns that cost no call into Python.

They look at the form of a text, not at the calendar: hour 25 or the 30th of February pass, as they
always did; what consumers cannot parse at all does not. Formats that are not here are not checked.
"""

from typing import Any

from app.schemas.keywords import walk

_DATE = "[0-9]{4}-[01][0-9]-[0-3][0-9]"
_MONTH_CHECKED = "[0-9]{4}-(?:0[0-9]|1[0-2])-[0-3][0-9]"
_TIME = r"[0-2][0-9]:[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_OFFSET = "(?:[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)"
_HEX = "[0-9a-fA-F]"
_LABEL = "[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"

PATTERNS = {
    "date": f"^{_DATE}$",
    "time": f"^{_TIME}{_OFFSET}?$",
    "date-time": f"^{_MONTH_CHECKED}[tT\\s]{_TIME}{_OFFSET}$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s]*$",
    "uri-reference": r"^[^\s\\]*$",
    "email": f"^[^\\s@]+@{_LABEL}(?:\\.{_LABEL})*$",
    "hostname": f"^{_LABEL}(?:\\.{_LABEL})*\\.?$",
    "ipv4": f"^{_OCTET}(?:\\.{_OCTET}){{3}}$",
    "ipv6": f"^(?:{_HEX}{{0,4}}:){{2,7}}(?:{_HEX}{{0,4}}|{_OCTET}(?:\\.{_OCTET}){{3}})$",
    "uuid": f"^(?:urn:uuid:)?{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}$",
}
FORMATS = {pattern: name for name, pattern in PATTERNS.items()}
"""Which format a violated pattern stands for."""


def put_formats_into_patterns(schema: dict[str, Any]) -> None:
    """Add to each `format` in a schema the pattern that checks it. Edits the schema."""
    for _, node in walk(schema):
        name = node.get("format")
        pattern = PATTERNS.get(name) if isinstance(name, str) else None
        if pattern is None:
            continue
        if "pattern" in node:
            node["allOf"] = [*node.get("allOf", ()), {"pattern": pattern}]
        else:
            node["pattern"] = pattern
