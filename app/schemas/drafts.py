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
    """`uri` is the draft's own name; `definitions` the keyword where it keeps schemas.

    `references` are the keywords that refer to schemas. Those of dynamic scope are taken as plain
    ones. Until draft-07 whatever stands beside `$ref` is ignored: `ref_stands_alone`.
    """

    uri: str
    validator: type[rs.Validator]
    id_keyword: str = "$id"
    definitions: str = "definitions"
    references: tuple[str, ...] = ("$ref",)
    ref_stands_alone: bool = True


DRAFTS = {
    "draft-04": Draft(
        "http://json-schema.org/draft-04/schema#", rs.Draft4Validator, id_keyword="id"
    ),
    "draft-06": Draft("http://json-schema.org/draft-06/schema#", rs.Draft6Validator),
    "draft-07": Draft("http://json-schema.org/draft-07/schema#", rs.Draft7Validator),
    "draft/2019-09": Draft(
        "https://json-schema.org/draft/2019-09/schema",
        rs.Draft201909Validator,
        definitions="$defs",
        references=("$ref", "$recursiveRef"),
        ref_stands_alone=False,
    ),
    "draft/2020-12": Draft(
        "https://json-schema.org/draft/2020-12/schema",
        rs.Draft202012Validator,
        definitions="$defs",
        references=("$ref", "$dynamicRef"),
        ref_stands_alone=False,
    ),
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


def meta_reference(reference: str) -> str | None:
    """Return a reference into the meta-schema of a draft, which the validator knows itself.

    It is spelled as the validator spells it. None if the reference leads elsewhere.
    """
    base, mark, fragment = reference.partition("#")
    match = _SPELLING.fullmatch(base)
    if not match:
        return None
    own = DRAFTS[match[1]].uri.removesuffix("#")
    return f"{own}{mark}{fragment}"
