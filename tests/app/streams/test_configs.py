import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ConfigError, SchemaNotAllowed, UnknownStream
from app.core.json import loads
from app.core.yaml import parse_yaml
from app.streams.configs import MAX_CONCRETE, StreamConfigs

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "modern"

LEGAL = set(string.ascii_letters + string.digits + "._-")

TABLE = {
    "demo.button.click": {"schema_title": "demo/button/click"},
    r"/^demo\.team\./": {"schema_title": "demo/team"},
    "/demo/": {"schema_title": "demo/any", "sample": {"rate": 1}},
    "demo.team.exact": {"schema_title": "demo/exact", "message_key_fields": {"id": "meta.id"}},
    "eventlogging_Edit": {"schema_title": "legacy/edit"},
}


def table_of(value=TABLE, **options):
    return StreamConfigs.parse(value, **options)


def test_a_stream_is_found_by_its_exact_name_before_any_regex():
    table = table_of()

    assert table.get("demo.team.exact").schema_title == "demo/exact"
    assert table.get("demo.team.exact").message_key_fields == (("id", ("meta", "id")),)


def test_the_first_regex_that_is_found_in_the_name_decides():
    table = table_of()

    assert table.get("demo.team.red").schema_title == "demo/team"
    assert table.get("my.demo.stream").schema_title == "demo/any"
    assert table.get("my.demo.stream").name == "my.demo.stream"


def test_a_stream_is_the_same_object_each_time():
    table = table_of()

    assert table.get("demo.team.red") is table.get("demo.team.red")
    assert table.get("demo.button.click") is table.get("demo.button.click")


def test_topics_have_the_prefix_except_those_of_old_eventlogging():
    table = table_of(topic_prefix="eqiad.")

    assert table.get("demo.button.click").topic == "eqiad.demo.button.click"
    assert table.get("demo.team.red").topic == "eqiad.demo.team.red"
    assert table.get("eventlogging_Edit").topic == "eventlogging_Edit"


def test_header_fields_of_the_service_stand_behind_those_of_the_stream():
    value = {
        "a": {
            "schema_title": "t",
            "enrich_fields_from_http_headers": {"meta.request_id": False, "http.x": "X-Y"},
        },
        "b": {"schema_title": "t"},
    }
    table = table_of(value, header_fields={"meta.request_id": "x-request-id"})

    assert table.get("a").header_fields == {"meta.request_id": None, "http.x": "x-y"}
    assert table.get("b").header_fields == {"meta.request_id": "x-request-id"}


def test_listing_changes_nothing():
    table = table_of()
    before = table.get("demo.team.red")

    listed = table.settings_of()
    table.settings_of(["demo.team.red", "demo.team.blue", "no.such", r"/^demo\.team\./"])

    assert listed == TABLE
    assert list(listed) == list(TABLE)
    assert table.settings_of() == TABLE
    assert table.get("demo.team.red") is before
    assert table.get("demo.team.blue").schema_title == "demo/team"


def test_listing_by_name_finds_what_would_be_in_force_and_leaves_out_the_unknown():
    found = table_of().settings_of(["demo.team.exact", "xx.demo", "/demo/", "other", "demo demo"])

    assert found == {
        "demo.team.exact": TABLE["demo.team.exact"],
        "xx.demo": TABLE["/demo/"],
        "/demo/": TABLE["/demo/"],
    }


@pytest.mark.parametrize("regex", [r"/^demo\.team\./", "/demo/"])
def test_the_text_of_a_regex_is_no_stream(regex):
    table = table_of()

    with pytest.raises(UnknownStream) as caught:
        table.get(regex)

    assert "There can be no stream" in str(caught.value)
    assert table.get("demo.team.red").schema_title == "demo/team"


@pytest.mark.parametrize(
    "name",
    [
        "demo team",
        "demo/team",
        "démo.demo",
        ".",
        "..",
        "demo\n",
        "demo\0",
        "\ud800demo",
        "demo" * 63,
    ],
)
def test_a_name_that_kafka_would_not_take_is_no_stream_even_if_a_regex_finds_something(name):
    with pytest.raises(UnknownStream) as caught:
        table_of().get(name)

    assert caught.value.pointer == "/meta/stream"
    str(caught.value).encode("utf-8")
    assert "\n" not in str(caught.value)


def test_the_prefix_counts_in_the_length_of_a_name():
    table = table_of(topic_prefix="eqiad.")

    assert table.get("demo" + "x" * 239).topic == "eqiad.demo" + "x" * 239
    with pytest.raises(UnknownStream, match="at most 243 characters"):
        table.get("demo" + "x" * 240)


def test_an_unknown_stream_is_told_with_what_may_have_been_meant():
    with pytest.raises(UnknownStream) as caught:
        table_of({"page.change.v1": {"schema_title": "t"}}).get("page.chang.v1")

    assert str(caught.value) == "No stream page.chang.v1 is configured."
    assert caught.value.pointer == "/meta/stream"
    assert caught.value.got == "page.chang.v1"
    assert caught.value.hint.startswith("Did you mean page.change.v1?")


def test_names_of_regex_streams_are_not_kept_without_bound():
    table = table_of()
    busy = table.get("demo.team.busy")

    for number in range(3 * MAX_CONCRETE):
        table.get(f"demo.team.n{number}")
        if number % 100 == 0:
            assert table.get("demo.team.busy") is busy

    assert len(table._young) + len(table._old) <= MAX_CONCRETE
    assert table.settings_of() == TABLE
    assert list(table.names) == ["demo.button.click", "demo.team.exact", "eventlogging_Edit"]


def test_unknown_names_leave_nothing_behind():
    table = table_of({"/^a/": {"schema_title": "t"}, "b": {"schema_title": "t"}})

    for number in range(5_000):
        with pytest.raises(UnknownStream):
            table.get(f"x{number}")

    assert not table._young
    assert not table._old
    assert len(table._suggestions._answers) <= 256


def test_a_stream_takes_its_own_schema_in_any_version():
    table_of().get("demo.button.click").check_allows("demo/button/click")


@pytest.mark.parametrize(
    ("title", "got"),
    [("demo/other", "a schema with the title demo/other"), (None, "a schema without a title")],
)
def test_a_stream_takes_no_other_schema_and_says_which_one_it_takes(title, got):
    with pytest.raises(SchemaNotAllowed) as caught:
        table_of().get("demo.button.click").check_allows(title)

    assert caught.value.pointer == "/$schema"
    assert caught.value.expected == "a version of demo/button/click"
    assert caught.value.got == got
    assert "Set $schema to /demo/button/click/" in caught.value.hint


def test_every_problem_is_told_at_once():
    value = {"a": {}, "b": {"schema_title": "t"}, "/(/": {"schema_title": "t"}, "c d": {}}

    with pytest.raises(ConfigError) as caught:
        table_of(value)

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "stream a",
        "stream '/(/'",
        "stream 'c d'",
    ]


def test_entries_with_problems_can_be_left_out():
    table = table_of({"a": {}, "b": {"schema_title": "t"}}, strict=False)

    assert list(table.names) == ["b"]
    assert len(table.problems) == 1
    with pytest.raises(UnknownStream):
        table.get("a")


@pytest.mark.parametrize("value", [None, {}, [], "<html>", {"a": {}}, {"error": "x"}])
def test_a_configuration_without_any_stream_is_refused_however_lenient(value):
    with pytest.raises(ConfigError):
        table_of(value, strict=False)


def test_extra_streams_exist_unless_they_are_configured():
    extra = {"own.error": {"schema_title": "error"}, "eventlogging_Edit": {"schema_title": "x"}}
    table = table_of(extra=extra, topic_prefix="p.")

    assert table.get("own.error").topic == "p.own.error"
    assert table.get("eventlogging_Edit").schema_title == "legacy/edit"
    assert len(table) == len(TABLE) + 1


def test_an_extra_stream_that_cannot_be_is_a_problem_however_lenient():
    with pytest.raises(ConfigError, match="a stream's name is made of"):
        table_of(extra={"no good": {"schema_title": "t"}}, strict=False)


@given(st.text(max_size=260) | st.from_regex(r"[a-z./^$\\+-]{1,30}", fullmatch=True))
def test_any_name_has_a_legal_topic_or_is_unknown(name):
    table = table_of({"/./": {"schema_title": "t"}}, topic_prefix="eqiad.")

    try:
        stream = table.get(name)
    except UnknownStream:
        assert name in {"", ".", ".."} or len(name) > 243 or not LEGAL.issuperset(name)
    else:
        assert stream.name == name
        assert LEGAL.issuperset(name)
        assert len(stream.topic) <= 249


@pytest.mark.skipif(not SHARED.exists(), reason="real stream configurations are not at hand")
@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("stream-config.yaml", 141),
        ("stream-config.all.yaml", 244),
        ("streamconfigs-api-response.json", 141),
    ],
)
def test_real_configurations_are_read_whole(file, count):
    content = (SHARED / file).read_bytes()
    value = loads(content)["streams"] if file.endswith(".json") else parse_yaml(content)

    table = table_of(value, topic_prefix="eqiad.")

    assert len(table) == count
    assert len(table.names) == count - 2
    assert table.settings_of() == value
    job = table.get("mediawiki.job.refreshLinks")
    assert job.schema_title == "mediawiki/job"
    assert job.topic == "eqiad.mediawiki.job.refreshLinks"
    assert job.header_fields["http.request_headers.user-agent"] is None
    assert table.get("swift.eqiad.upload-complete").schema_title == "swift/upload/complete"
    assert table.get("mediawiki.page_change.v1").message_key_fields == (
        ("page_id", ("page", "page_id")),
        ("wiki_id", ("wiki_id",)),
    )
