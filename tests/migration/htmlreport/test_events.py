import json
import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.htmlreport.events import shown_json
from migration.htmlreport.page import page_of

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def marked(html):
    return [unescape(text).strip() for text in re.findall(r"<mark>(.*?)</mark>", html)]


@given(json_values)
def test_what_is_shown_reads_back_as_what_it_was(value):
    shown = shown_json(value, ())

    assert json.loads(unescape(shown)) == value


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/event/count", ["5.0"]),
        ("/event/list/*", ["1", "2"]),
        ("/event/a~1b", ["true"]),
        ("/event/none", ["{", '"count": 5.0,', '"list": [', "1,", "2", "],", '"a/b": true', "}"]),
    ],
)
def test_the_place_that_matters_is_marked_or_the_object_that_lacks_it(pointer, expected):
    value = {"event": {"count": 5.0, "list": [1, 2], "a/b": True}}

    shown = shown_json(value, [pointer])

    assert marked(shown) == expected


def test_what_strangers_sent_cannot_write_into_the_page():
    evil = "</pre><script>alert(1)</script>"
    matrix = {
        "both_accept": 0,
        "both_refuse": 0,
        "only_old": 1,
        "only_new": 0,
        "undecodable": 0,
    }
    cause = [{"rule": "enum", "pointer": f"/event/{evil}", "message": evil}]
    cluster = {
        "verdict": "only_old",
        "class": "other",
        "count": 1,
        "old": [],
        "new": cause,
        "example": {"source": evil, "line": 1, "text": evil, "event": {evil: evil}},
    }
    found = {
        "matrix": matrix,
        "clusters": [cluster],
        "differing": 1,
        "differences": [
            {"pointer": evil, "kind": evil, "count": 1, "at": evil, "old": evil, "new": evil}
        ],
        "coverage": {"properties": {evil: 1}, "enums": {}, "never": []},
    }
    report = {
        "sluiceway": "1",
        "sources": [{"name": evil, "bytes": 1}],
        "totals": {"lines": 1, "events": 1, "matrix": matrix, "classes": {"other": 1}},
        "schemas": {evil: found},
    }

    page = page_of([report], None, evil)

    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 8
