import re
from pathlib import Path

import pytest

from legacy.formats import FORMATS
from legacy.mapping import Mapping, Target
from legacy.mappingfile import parse_text
from legacy.translate import NOT_KEPT

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "legacy.md").read_text("utf-8")


@pytest.fixture(scope="module")
def mapping():
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if not block.startswith("# settings")]
    return Mapping.parse(parse_text(block))


def test_the_mapping_in_the_docs_can_be_used(mapping):
    assert mapping.target("MediaWikiPingback", 15781718) == Target(
        "/analytics/legacy/mediawikipingback/1.0.0", "eventlogging_MediaWikiPingback"
    )
    assert mapping.target("Test", None).schema_uri == "/analytics/legacy/test/latest"
    assert mapping.target("Popups", 1) == Target(
        "/analytics/legacy/popups/latest", "eventlogging_Popups"
    )


def test_the_defaults_in_the_docs_are_those_that_hold_without_them(mapping):
    bare = Mapping.parse({"schemas": {"ServerSideAccountCreation": "1.2.0"}})

    assert mapping.target("ServerSideAccountCreation", 1) == bare.target(
        "ServerSideAccountCreation", 1
    )


@pytest.mark.parametrize("name", sorted(NOT_KEPT))
def test_every_field_that_is_not_kept_is_in_the_docs(name):
    table = PAGE.partition("## What becomes of each field")[2].partition("\n## ")[0]

    assert f"`{name}`" in table


def test_the_formats_in_the_docs_are_those_that_have_names():
    rows = re.findall(r"^\| `([0-9a-z-]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)

    assert dict(rows) == FORMATS
