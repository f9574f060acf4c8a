import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import CredentialsMissing, ProducerNotAllowed, ValueNotAllowed
from app.streams.configs import StreamConfigs
from app.streams.entries import Entry, entries_of
from app.streams.producers import Producers, ProducersError

# In a fresh checkout the first text to be made waits for tables of Unicode.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TITLE = {"schema_title": "t"}


def ruled(path, wanted):
    return Producers.parse([{"subject": "a", "fields": {path: wanted}}])


def entry_of(settings):
    return next(entries_of({"s": TITLE | settings}, ""))


def test_those_who_are_named_may_write_and_others_are_told_apart():
    producers = Producers.parse(["a", {"subject": "b"}])

    producers.check("a", "s")
    producers.check("b", "s")
    with pytest.raises(CredentialsMissing):
        producers.check(None, "s")
    with pytest.raises(ProducerNotAllowed, match="c may not write to the stream s"):
        producers.check("c", "s")


@pytest.mark.parametrize(
    ("wanted", "value", "allowed"),
    [
        ("x", "x", True),
        ("x", "X", False),
        ("x", None, False),
        ("x", ["x"], False),
        ("x", {"x": "x"}, False),
        (["x", "y"], "y", True),
        (1, 1, True),
        (1, 1.0, True),
        (1, True, False),
        (1, "1", False),
        (True, True, True),
        (True, 1, False),
        (False, 0, False),
        ("", "", True),
    ],
)
def test_values_are_compared_exactly(wanted, value, allowed):
    producers = ruled("x.y", wanted)
    body = {"x": {"y": value}}

    if allowed:
        producers.check_values("a", body)
    else:
        with pytest.raises(ValueNotAllowed) as caught:
            producers.check_values("a", body)
        assert caught.value.pointer == "/x/y"


@pytest.mark.parametrize("body", [{}, {"x": None}, {"x": []}, {"x": "y"}, {"x": {}}, {"x.y": "v"}])
def test_a_field_that_is_not_there_breaks_the_rule(body):
    with pytest.raises(ValueNotAllowed):
        ruled("x.y", "v").check_values("a", body)


def test_what_the_event_has_is_not_repeated_and_a_long_list_is_not_told_whole():
    with pytest.raises(ValueNotAllowed) as caught:
        ruled("x", [f"v{n}" for n in range(100)]).check_values("a", {"x": "192.0.2.1"})

    said = f"{caught.value} {caught.value.got} {caught.value.expected}"
    assert "192.0.2.1" not in said
    assert "v9 or others" in said
    assert "v10" not in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "names nobody"),
        ("a", "no list"),
        ({}, "no list"),
        ([7], "neither a subject nor a mapping"),
        ([""], "neither a subject nor a mapping"),
        ([" a"], "neither a subject nor a mapping"),
        (["a\n"], "neither a subject nor a mapping"),
        (["a" * 201], "neither a subject nor a mapping"),
        ([{"fields": {}}], "neither a subject nor a mapping"),
        (["a", "a"], "names a twice"),
        ([{"subject": "a", "field": {}}], "more than `subject` and `fields`"),
        ([{"subject": "a", "fields": ["x"]}], "no mapping of fields"),
        ([{"subject": "a", "fields": {"x..y": 1}}], "no field like"),
        ([{"subject": "a", "fields": {"x": []}}], "no text, whole number or boolean"),
        ([{"subject": "a", "fields": {"x": None}}], "no text, whole number or boolean"),
        ([{"subject": "a", "fields": {"x": 1.5}}], "no text, whole number or boolean"),
        ([{"subject": "a", "fields": {"x": {"y": 1}}}], "no text, whole number or boolean"),
    ],
)
def test_a_mistake_is_a_problem_of_the_stream_and_never_opens_it(value, said):
    with pytest.raises(ProducersError, match=said):
        Producers.parse(value)
    if value != {}:  # which MediaWiki may have there
        problem = entry_of({"producers": value})
        assert isinstance(problem, str)


@pytest.mark.parametrize(
    ("producers", "names"),
    [
        (None, None),
        ({}, None),
        ({"eventgate": {"enrich_fields_from_http_headers": {"x": "user-agent"}}}, None),
        ({"eventgate": {}, "sluiceway": ["a"]}, ["a"]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_a_mapping_as_of_mediawiki_names_nobody_unless_under_our_name(producers, names):
    entry = entry_of({"producers": producers})

    assert isinstance(entry, Entry)
    assert (list(entry.producers.rules) if entry.producers else None) == names


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key", "proxy-authorization"])
def test_credentials_cannot_be_asked_into_events(header):
    problem = entry_of({"enrich_fields_from_http_headers": {"http.request_headers.x": header}})

    assert "credentials are never stored" in problem


def test_a_stream_with_a_mistake_there_is_closed_and_not_left_to_a_regex():
    configs = StreamConfigs.parse(
        {"s": TITLE | {"producers": []}, "/./": TITLE, "ok": TITLE}, strict=False
    )

    assert len(configs.problems) == 1
    with pytest.raises(ProducerNotAllowed):
        configs.get("s").producers.check("a", "s")
    with pytest.raises(CredentialsMissing):
        configs.get("s").producers.check(None, "s")


def test_streams_of_a_regex_have_its_producers():
    configs = StreamConfigs.parse({"/^a/": TITLE | {"producers": ["x"]}, "b": TITLE})

    assert configs.have_producers
    assert "x" in configs.get("abc").producers.rules
    assert configs.get("b").producers is None
    assert not StreamConfigs.parse({"b": TITLE}).have_producers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@PATIENT
@given(JSON | st.lists(st.fixed_dictionaries({"subject": st.text(), "fields": JSON})))
def test_any_setting_is_a_list_of_producers_or_a_problem(value):
    try:
        producers = Producers.parse(value)
    except ProducersError:
        return
    assert producers.rules


@PATIENT
@given(body=JSON.filter(lambda value: isinstance(value, dict)), value=JSON)
def test_a_rule_judges_any_body(body, value):
    producers = ruled("a.b", ["x", 1, True])
    body["a"] = {"b": value}

    try:
        producers.check_values("a", body)
    except ValueNotAllowed:
        return
    assert value in ("x", 1, True)
