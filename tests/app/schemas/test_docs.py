"""docs/schemas.md says what the code does."""

import re
from pathlib import Path

import pytest

from app.schemas import closure, defaults, effort, explain, store, uris
from app.schemas.drafts import DRAFTS, draft_of
from app.schemas.formats import PATTERNS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "schemas.md").read_text()


def test_every_format_that_is_checked_is_on_the_page_and_no_other():
    section = PAGE.partition("| `format` |")[2].partition("## Patterns")[0]

    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)) == PATTERNS.keys()


def test_every_draft_is_on_the_page_by_its_name():
    section = PAGE.partition("## Drafts")[2].partition("## References")[0]
    names = re.findall(r"^\| `(https?://\S+)` \|", section, re.MULTILINE)

    assert [draft_of({"$schema": name}) for name in names] == list(DRAFTS.values())


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (closure.MAX_DOCUMENTS, "at most {} documents"),
        (closure.MAX_SCHEMAS, "documents and {:,} schemas"),
        (effort.MAX_EXPANSION, "more than {:,} schemas"),
        (explain.MAX_VIOLATIONS, "At most {} violations"),
        (explain.MAX_JUDGED, "more than {:,} values"),
        (defaults.MAX_FILLED, "more than {:,} others"),
        (uris.MAX_LENGTH, "at most {} characters"),
    ],
)
def test_every_limit_is_on_the_page(limit, words):
    assert words.format(limit) in PAGE


def test_failures_are_remembered_as_long_as_the_page_says():
    assert store.FAILURE_TTL == 2
    assert "for two seconds" in PAGE
