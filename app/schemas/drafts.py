"""The drafts of JSON Schema that are taken, by the ways in which schemas name them."""

import re
from dataclasses import dataclass
from typing import Any

import jsonschema_rs as rs

_SPELLING = re.compile(
    r"https?://json-schema\.org/(draft-04|draft-06|draft-07|draft/2019-09|draft/2020-12)/schema#?"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """`uri` is the draft's own name; `definitions` the keyword where it keeps schemas."""

    name: str
    uri: str
    validator: type[rs.Validator]
    id_keyword: str = "$id"
    definitions: str = "definitions"
    ref_stands_alone: bool = True  # until draft-07 whatever stands beside $ref is ignored


DRAFTS = {
    draft.name: draft
    for draft in (
        Draft(
            "draft-04",
            "http://json-schema.org/draft-04/schema#",
            rs.Draft4Validator,
            id_keyword="id",
        ),
        Draft("draft-06", "http://json-schema.org/draft-06/schema#", rs.Draft6Validator),
        Draft("draft-07", "http://json-schema.org/draft-07/schema#", rs.Draft7Validator),
        Draft(
            "draft/2019-09",
            "https://json-schema.org/draft/2019-09/schema",
            rs.Draft201909Validator,
            definitions="$defs",
            ref_stands_alone=False,
        ),
        Draft(
            "draft/2020-12",
            "https://json-schema.org/draft/2020-12/schema",
            rs.Draft202012Validator,
            definitions="$defs",
            ref_stands_alone=False,
        ),
    )
}
DEFAULT = DRAFTS["draft-07"]


def draft_of(document: dict[str, Any]) -> Draft | None:
    """Return the draft that a schema says it follows, draft-07 if it says nothing, or None.

    Draft-07 is meant by its http and its https name, which most schemas at Wikimedia use.
    """
    name = document.get("$schema")
    if name is None:
        return DEFAULT
    match = _SPELLING.fullmatch(name) if isinstance(name, str) else None
    return DRAFTS[match[1]] if match else None


def is_meta_schema(uri: str) -> bool:
    """Say whether a URI names the meta-schema of a draft, which the validator knows itself."""
    return _SPELLING.fullmatch(uri) is not None
