import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.streams.entries import (
    MAX_TOPIC,
    Entry,
    EntryError,
    entries_of,
    name_problem,
    shown,
    topic_of,
)

TITLE = {"schema_title": "a/b"}


def entry_of(settings, key="a.b"):
    (entry,) = entries_of({key: settings}, "")
    return entry


def test_an_entry_says_what_its_stream_takes():
    entry = entry_of(
        TITLE
        | {
            "message_key_fields": {"wiki_id": "wiki_id", "page_id": "page.page_id"},
            "sample": {"rate": 0.5},
        }
    )

    assert entry.schema_title == "a/b"
    assert entry.pattern is None
    assert entry.message_key_fields == (
        ("wiki_id", ("wiki_id",)),
        ("page_id", ("page", "page_id")),
    )
    assert entry.settings["sample"] == {"rate": 0.5}


def test_headers_are_collected_as_either_spelling_says_and_the_shorter_one_wins():
    entry = entry_of(
        TITLE
        | {
            "producers": {
                "eventgate": {
                    "enrich_fields_from_http_headers": {
                        "http.request_headers.user-agent": "User-Agent",
                        "meta.request_id": "x-request-id",
                    }
                }
            },
            "enrich_fields_from_http_headers": {"http.request_headers.user-agent": False},
        }
    )

    assert entry.header_fields == {
        "http.request_headers.user-agent": None,
        "meta.request_id": "x-request-id",
    }


@pytest.mark.parametrize("empty", [None, [], {}])
def test_empty_tables_are_nothing_however_php_writes_them(empty):
    entry = entry_of(TITLE | {"message_key_fields": empty, "producers": {"eventgate": empty}})

    assert isinstance(entry, Entry)
    assert entry.message_key_fields == ()
    assert entry.header_fields == {}


def test_a_list_of_streams_names_them_inside():
    entries = list(entries_of([TITLE | {"stream": "a"}, TITLE | {"stream": "/^b/"}], ""))

    assert [entry.key for entry in entries] == ["a", "/^b/"]


def test_an_entry_without_a_key_among_others_names_itself():
    entries = list(entries_of({"a": TITLE, "0": TITLE | {"stream": "b"}}, ""))

    assert [entry.key for entry in entries] == ["a", "b"]


def test_a_stream_may_be_called_by_a_number():
    assert entry_of(TITLE, key="2024").key == "2024"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": None}, "stream a: its settings are no mapping"),
        ({"a": "x"}, "stream a: its settings are no mapping"),
        ({"a": {}}, "stream a: schema_title is missing"),
        ({"a": []}, "stream a: schema_title is missing"),
        ({"a": {"schema_title": 7}}, "stream a: schema_title is missing"),
        ({"a b": TITLE}, "stream 'a b': a stream's name is made of"),
        ({"": TITLE}, "stream '': a stream's name is made of"),
        ({"..": TITLE}, "stream ..: a stream's name is made of"),
        ({"ü": TITLE}, "stream 'ü': a stream's name is made of"),
        ({"/a/i": TITLE}, "no flags after them"),
        ({"//": TITLE}, "a stream's name is made of"),
        ({"/(/": TITLE}, "stream '/(/': the regex is broken"),
        ({"/(a+)+$/": TITLE}, "could search for too long"),
        ({"a" * 250: TITLE}, "at most 249 characters"),
        ({"a": TITLE | {"stream": "b"}}, "stream a: its setting `stream` has another name"),
        ({"a": TITLE | {"message_key_fields": ["x"]}}, "message_key_fields is no mapping"),
        ({"a": TITLE | {"message_key_fields": {"k": 1}}}, "message_key_fields.k is no pair"),
        ({"a": TITLE | {"message_key_fields": {"k": "a..b"}}}, "message_key_fields.k is no pair"),
        ({"a": TITLE | {"message_key_fields": {"k": "a", "k.l": "b"}}}, "both a value and an obj"),
        ({"a": TITLE | {"producers": "x"}}, "producers is no mapping"),
        ({"a": TITLE | {"producers": {"eventgate": 1}}}, "producers.eventgate is no mapping"),
        (
            {"a": TITLE | {"enrich_fields_from_http_headers": {"x.y": True}}},
            "enrich_fields_from_http_headers.x.y is neither the name of a header nor false",
        ),
        (
            {"a": TITLE | {"enrich_fields_from_http_headers": {"x.y": "a b"}}},
            "neither the name of a header nor false",
        ),
        (
            {"a": TITLE | {"enrich_fields_from_http_headers": {"x..y": "a"}}},
            "enrich_fields_from_http_headers: x..y is no field",
        ),
        ([TITLE], "stream 'number 1 of the list'"),
        ([7], "stream 'number 1 of the list'"),
    ],
)
def test_an_entry_that_cannot_be_used_is_a_problem_in_words(value, problem):
    (found,) = entries_of(value, "")

    assert isinstance(found, str)
    assert problem in found


def test_a_stream_that_is_configured_twice_is_a_problem():
    _, problem = entries_of([TITLE | {"stream": "a"}, TITLE | {"stream": "a"}], "")

    assert problem == "stream a: it is configured twice"


@pytest.mark.parametrize("value", [None, [], "<html>", 7, True])
def test_what_is_no_configuration_at_all_is_refused(value):
    with pytest.raises(EntryError, match="not a mapping"):
        list(entries_of(value, ""))


def test_the_topic_is_prefix_and_name_but_old_eventlogging_has_no_prefix():
    assert topic_of("a.b", "eqiad.") == "eqiad.a.b"
    assert topic_of("eventlogging_Edit", "eqiad.") == "eventlogging_Edit"


def test_a_name_is_as_long_as_its_topic_may_be():
    assert name_problem("a" * 243, "eqiad.") is None
    assert "at most 243 characters" in name_problem("a" * 244, "eqiad.")
    assert name_problem("eventlogging_" + "a" * 236, "eqiad.") is None
    assert name_problem("eventlogging_" + "a" * 237, "eqiad.")


def test_a_name_with_a_line_break_is_shown_in_one_line_and_cut():
    assert shown("a\nb") == "'a\\nb'"
    assert len(shown("x" * 10_000)) == 100


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "schema_title",
                    "message_key_fields",
                    "producers",
                    "eventgate",
                    "enrich_fields_from_http_headers",
                    "stream",
                    "a.b",
                    "/^a/",
                    "0",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(_json)
def test_any_value_is_read_or_told_about_and_nothing_else_happens(value):
    try:
        found = list(entries_of(value, "p."))
    except EntryError:
        return

    for item in found:
        if isinstance(item, Entry) and item.pattern is None:
            assert len(topic_of(item.key, "p.")) <= MAX_TOPIC
        else:
            assert item
