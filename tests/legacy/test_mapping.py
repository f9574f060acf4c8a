import pytest

from legacy.errors import LegacyError
from legacy.mapping import Mapping, MappingError, Target

FILE = """\
schemas:
  Clicks:
    schema_uri: /analytics/legacy/clicks/1.1.0
    stream: clicks
    revisions:
      42: /analytics/legacy/clicks/1.0.0
  Views: latest
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mapping.yaml"


def test_a_file_says_what_names_mean(path):
    path.write_text(FILE)

    mapping = Mapping.load(path)

    assert mapping.target("Clicks", 43) == Target("/analytics/legacy/clicks/1.1.0", "clicks")
    assert mapping.target("Clicks", 42) == Target("/analytics/legacy/clicks/1.0.0", "clicks")
    assert mapping.target("Clicks", None) == Target("/analytics/legacy/clicks/1.1.0", "clicks")
    assert mapping.target("Views", -1) == Target(
        "/analytics/legacy/views/latest", "eventlogging_Views"
    )


def test_problems_name_the_file(path):
    path.write_text("schemas:\n  Te st: latest\n  Views: 1\n")

    with pytest.raises(MappingError) as caught:
        Mapping.load(path)

    assert len(caught.value.problems) == 2
    assert all(problem.startswith(f"{path}: schemas.") for problem in caught.value.problems)
    assert str(caught.value) == "\n".join(caught.value.problems)


def test_a_file_that_is_not_there_is_a_problem(path):
    with pytest.raises(MappingError, match="cannot be read"):
        Mapping.load(path)


def test_a_name_that_is_not_listed_is_unmapped():
    mapping = Mapping.parse({"schemas": {"Clicks": "latest"}})

    with pytest.raises(LegacyError, match="Drags") as caught:
        mapping.target("Drags", 1)

    assert caught.value.reason == "unmapped_schema"
    assert caught.value.pointer == "/schema"
    assert caught.value.got == "Drags"
    assert caught.value.hint == "List the name in the mapping file, under schemas."


def test_a_name_in_another_case_is_unmapped_but_told_of_the_one_that_is_listed():
    mapping = Mapping.parse({"schemas": {"Clicks": "latest"}})

    with pytest.raises(LegacyError) as caught:
        mapping.target("clicks", 1)

    assert caught.value.hint == "The mapping lists Clicks; upper and lower case matter."


def test_others_take_every_name_that_is_not_listed():
    mapping = Mapping.parse(
        {"schemas": {"Clicks": "1.0.0"}, "others": {"stream": "others.{schema}"}}
    )

    assert mapping.target("Clicks", 1).schema_uri == "/analytics/legacy/clicks/1.0.0"
    assert mapping.target("Drags", 1) == Target("/analytics/legacy/drags/latest", "others.Drags")


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a/b"])
def test_others_do_not_take_a_path(name):
    mapping = Mapping.parse({"others": "latest"})

    with pytest.raises(LegacyError) as caught:
        mapping.target(name, 1)

    assert caught.value.reason == "unmapped_schema"


def test_a_path_may_be_listed():
    mapping = Mapping.parse({"schemas": {"../x": {"schema_uri": "/x/1.0.0", "stream": "x"}}})

    assert mapping.target("../x", None) == Target("/x/1.0.0", "x")


def test_an_empty_mapping_knows_no_name():
    with pytest.raises(LegacyError):
        Mapping().target("Clicks", 1)


def test_all_listed_targets_can_be_checked_at_start(path):
    path.write_text(FILE)

    assert Mapping.load(path).targets == [
        Target("/analytics/legacy/clicks/1.1.0", "clicks"),
        Target("/analytics/legacy/clicks/1.0.0", "clicks"),
        Target("/analytics/legacy/views/latest", "eventlogging_Views"),
    ]
