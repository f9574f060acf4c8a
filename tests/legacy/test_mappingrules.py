import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy.errors import MappingError
from legacy.mappingrules import Pattern, Target, rules_of

NO_VERSION = (
    "is no version; write latest, or three numbers like 1.2.0, or a schema URI that begins with /"
)
NO_STREAM = "cannot be a stream; name one with stream, of letters, digits, '.', '_' and '-'"


def problems_of(value):
    with pytest.raises(MappingError) as caught:
        rules_of(value)
    return list(caught.value.problems)


def entry_of(stated, **rest):
    return rules_of({"schemas": {"Test": stated}, **rest}).entries["Test"]


@pytest.mark.parametrize(
    ("stated", "schema_uri"),
    [
        ("latest", "/analytics/legacy/test/latest"),
        ("1.3.0", "/analytics/legacy/test/1.3.0"),
        ("2.0.0-rc.1", "/analytics/legacy/test/2.0.0-rc.1"),
        ("/my/test/1.0.0", "/my/test/1.0.0"),
        ("/my/{schema_lower}/{version}", "/my/test/latest"),
        ({}, "/analytics/legacy/test/latest"),
        ({"version": "1.3.0"}, "/analytics/legacy/test/1.3.0"),
        ({"schema_uri": "/my/test/1.0.0"}, "/my/test/1.0.0"),
        ({"schema_uri": "/my/{schema}/{version}", "version": "2.0.0"}, "/my/Test/2.0.0"),
    ],
)
def test_a_name_means_a_version_or_a_schema_uri(stated, schema_uri):
    assert entry_of(stated).target == Target(schema_uri, "eventlogging_Test")


def test_a_name_may_have_a_stream_of_its_own():
    entry = entry_of({"version": "1.0.0", "stream": "my.{schema_lower}"})

    assert entry.target == Target("/analytics/legacy/test/1.0.0", "my.test")


def test_defaults_say_where_schemas_and_events_are():
    defaults = {"schema_uri": "/old/{schema}/{version}", "stream": "old.{schema}"}

    assert entry_of("1.0.0", defaults=defaults).target == Target("/old/Test/1.0.0", "old.Test")


@pytest.mark.parametrize("key", [123, "123"])
@pytest.mark.parametrize("pin", ["1.0.0", "/analytics/legacy/test/1.0.0"])
def test_a_revision_may_be_pinned(key, pin):
    entry = entry_of({"version": "1.3.0", "stream": "own", "revisions": {key: pin}})

    assert entry.at(123) == Target("/analytics/legacy/test/1.0.0", "own")
    assert entry.at(124) == Target("/analytics/legacy/test/1.3.0", "own")
    assert entry.at(None) == Target("/analytics/legacy/test/1.3.0", "own")


def test_a_pinned_version_goes_where_the_entry_has_a_place_for_it():
    entry = entry_of({"schema_uri": "/my/t/{version}", "revisions": {1: "1.0.0"}})

    assert entry.at(1).schema_uri == "/my/t/1.0.0"


def test_a_pinned_version_goes_into_the_default_where_the_entry_has_no_place():
    entry = entry_of({"schema_uri": "/my/t/2.0.0", "revisions": {1: "1.0.0"}})

    assert entry.at(1).schema_uri == "/analytics/legacy/test/1.0.0"


def test_the_revisions_minus_one_and_zero_can_be_pinned():
    entry = entry_of({"revisions": {-1: "1.0.0", "0": "1.1.0"}})

    assert entry.at(-1).schema_uri == "/analytics/legacy/test/1.0.0"
    assert entry.at(0).schema_uri == "/analytics/legacy/test/1.1.0"


@pytest.mark.parametrize("others", ["latest", {}, {"version": "latest"}])
def test_others_may_be_all_that_is_said(others):
    rules = rules_of({"others": others})

    assert rules.entries == {}
    assert rules.others == Pattern()


def test_an_empty_list_of_names_may_be_meant():
    assert rules_of({"schemas": {}}) == ({}, None)


@pytest.mark.parametrize("name", ["Test", "a.b", "-", "x" * 63])
def test_a_stranger_that_is_one_segment_of_a_path_has_a_target(name):
    assert Pattern().of_stranger(name) == Target(
        f"/analytics/legacy/{name.lower()}/latest", f"eventlogging_{name}"
    )


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", ".", ".git", "a/b", "/a", "{schema}"])
def test_a_stranger_that_could_lead_elsewhere_has_none(name):
    assert Pattern().of_stranger(name) is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "nothing is no table of keys and values"),
        ([], "[] is no table of keys and values"),
        ({}, "it maps nothing; list names under schemas, or say what others mean"),
        ({"defaults": {}}, "it maps nothing; list names under schemas, or say what others mean"),
        ({"schemas": None, "others": "latest"}, "schemas: nothing is no table of keys and values"),
        ({"schema": {}, "others": {}}, "there is no schema; did you mean schemas?"),
        (
            {"zzz": 1, "others": {}},
            "there is no zzz; there are schemas, others, defaults",
        ),
        (
            {"schemas": {"Test": {"shema_uri": "/a/1.0.0"}}},
            "schemas.Test: there is no shema_uri; did you mean schema_uri?",
        ),
        (
            {"others": {"revisions": {}}},
            "others: there is no revisions; did you mean version?",
        ),
        (
            {"others": {}, "defaults": {"streams": "a"}},
            "defaults: there is no streams; did you mean stream?",
        ),
        (
            {"others": {}, "defaults": {"stream": "a_{schemas}"}},
            "defaults.stream: there is no {schemas}; did you mean schema?",
        ),
        (
            {"others": {}, "defaults": {"stream": "a_{schema"}},
            "defaults.stream: 'a_{schema' has a brace without its partner",
        ),
        (
            {"others": {"stream": "a_{schema!r}"}},
            "others.stream: there is no {schema!r}; did you mean schema?",
        ),
        ({"others": {"stream": 1}}, "others.stream: 1 is no text"),
        ({"others": {"stream": ""}}, "others.stream: nothing is no text"),
        (
            {"schemas": {"Test": ""}},
            f"schemas.Test: nothing {NO_VERSION}",
        ),
        (
            {"schemas": {"Test": 1.3}},
            f"schemas.Test: 1.3 {NO_VERSION}",
        ),
        (
            {"schemas": {"Test": {"version": "1"}}},
            f"schemas.Test.version: '1' {NO_VERSION}",
        ),
        (
            {"schemas": {"Test": {"schema_uri": "/a/1.0.0", "version": "1.1.0"}}},
            "schemas.Test.version: the version has no place in /a/1.0.0; put {version} there",
        ),
        (
            {"schemas": {"Test": "1.1.0"}, "defaults": {"schema_uri": "/a/1.0.0"}},
            "schemas.Test: the version has no place in /a/1.0.0; put {version} there",
        ),
        (
            {"schemas": {"Te st": "latest"}},
            "schemas.Te st: no client can send a schema name like that",
        ),
        (
            {"schemas": {"a/b": "latest"}},
            f"schemas.a/b: 'eventlogging_a/b' {NO_STREAM}",
        ),
        (
            {"schemas": {"Test": {"revisions": {True: "1.0.0"}}}},
            "schemas.Test.revisions.True: a revision is a whole number",
        ),
        (
            {"schemas": {"Test": {"revisions": {1.0: "1.0.0"}}}},
            "schemas.Test.revisions.1.0: a revision is a whole number",
        ),
        (
            {"schemas": {"Test": {"revisions": {"r1": "1.0.0"}}}},
            "schemas.Test.revisions.r1: a revision is a whole number",
        ),
        (
            {"schemas": {"Test": {"revisions": {1: "1.0.0", "1": "1.1.0"}}}},
            "schemas.Test.revisions.1: this revision is pinned twice",
        ),
        (
            {"schemas": {"Test": {"revisions": ["1.0.0"]}}},
            "schemas.Test.revisions: ['1.0.0'] is no table of keys and values",
        ),
        (
            {"schemas": {"Test": {"revisions": {1: None}}}},
            f"schemas.Test.revisions.1: nothing {NO_VERSION}",
        ),
    ],
)
def test_a_mistake_is_told_in_the_operators_words(value, problem):
    assert problems_of(value) == [problem]


@pytest.mark.parametrize(
    "schema_uri",
    [
        "a/1.0.0",
        "/",
        "//a/1.0.0",
        "/a//1.0.0",
        "/a/1.0.0/",
        "/a/../1.0.0",
        "/./1.0.0",
        "/a b/1.0.0",
        "/a/1.0.0?x",
        "/a/1.0.0#x",
        "/a/%2e%2e/1.0.0",
        "https://example.org/a/1.0.0",
        "/a/1.0.0\n",
    ],
)
def test_a_schema_uri_is_a_plain_path(schema_uri):
    problems = problems_of({"schemas": {"Test": {"schema_uri": schema_uri}}})

    assert len(problems) == 1
    assert "is no schema URI; write a path like /my/schema/1.0.0" in problems[0]


def test_all_problems_are_told_at_once():
    problems = problems_of(
        {
            "schemas": {"Test": {"strem": "a"}, "B B": "latest", "C": "1"},
            "others": {"stream": "a b"},
            "defalts": {},
        }
    )

    assert [problem.split(" ")[0] for problem in problems] == [
        "there",
        "schemas.Test:",
        "schemas.B",
        "schemas.C:",
        "others:",
    ]


SCRAPS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats()
    | st.sampled_from(["latest", "1.0.0", "/a/1.0.0", "{schema}", "{", "{}", "{0}", "a", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "schemas",
                    "others",
                    "defaults",
                    "schema_uri",
                    "stream",
                    "version",
                    "revisions",
                    "T",
                ]
            )
            | st.integers(-1, 2)
            | st.booleans(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(SCRAPS | st.fixed_dictionaries({"schemas": st.dictionaries(st.just("T"), SCRAPS)}))
def test_any_value_gives_rules_or_problems(value):
    try:
        rules = rules_of(value)
    except MappingError as error:
        rules = error

    assert rules.problems if isinstance(rules, MappingError) else "schemas" in value or rules.others
