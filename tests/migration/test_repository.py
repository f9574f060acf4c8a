import pytest

from migration.repository import (
    UnreadableSchema,
    folders_of,
    link_target,
    links_of,
    load_file,
    order_of,
)
from tests.migration.shop import write

TEXT = """\
title: a/b
properties:
  one:
    type: string
  two: {type: integer,
        minimum: 3}
required: [one]
"""


def test_a_value_is_found_by_the_line_of_its_key(tmp_path):
    file = load_file(write(tmp_path, "a/b", TEXT))

    lines = [
        file.spot(steps).line
        for steps in [(), ("properties", "one"), ("properties", "two", "minimum"), ("required", 0)]
    ]

    assert lines == [1, 3, 6, 7]


def test_a_value_that_is_not_in_the_file_stands_where_the_nearest_around_it_does(tmp_path):
    file = load_file(write(tmp_path, "a/b", TEXT))

    assert file.spot(("properties", "one", "maxLength")).line == 3
    assert not file.has(("properties", "one", "maxLength"))
    assert file.has(("properties", "one"))


def test_keys_that_come_twice_are_told_with_the_line_of_the_second(tmp_path):
    file = load_file(write(tmp_path, "a/b", TEXT + "title: again\n"))

    assert file.twice == [(("title",), 8)]


def test_a_file_that_is_no_yaml_says_in_which_line(tmp_path):
    path = write(tmp_path, "a/b", "title: x\ntype: [a\nrequired: b: c\n")

    with pytest.raises(UnreadableSchema, match="not YAML") as refused:
        load_file(path)

    assert refused.value.line == 3


@pytest.mark.parametrize("content", [b"- a list\n", b"\xff\xfe\x00", b"", b"just words"])
def test_a_file_that_holds_no_object_is_no_schema(tmp_path, content):
    path = tmp_path / "current.yaml"
    path.write_bytes(content)

    with pytest.raises(UnreadableSchema):
        load_file(path)


def test_a_missing_file_is_told_and_not_raised_through(tmp_path):
    with pytest.raises(UnreadableSchema, match="No such file"):
        load_file(tmp_path / "current.yaml")


def test_versions_are_sorted_as_numbers_and_hidden_folders_are_passed_over(tmp_path):
    for version in ("1.10.0", "1.9.0", "2.0.0"):
        write(tmp_path, "a/b", "title: a/b\n", f"{version}.yaml")
    write(tmp_path, ".git/a", "title: a\n")
    write(tmp_path, "a/docs", "words\n", "readme.yaml")

    folders = folders_of(tmp_path)

    assert [folder.title for folder in folders] == ["a/b"]
    assert list(folders[0].released) == ["1.9.0", "1.10.0", "2.0.0"]
    assert folders[0].newest == "2.0.0"
    assert folders[0].current is None


def test_a_release_may_be_json_and_a_file_without_extension_is_one_unless_it_is_a_link(tmp_path):
    write(tmp_path, "a/b", '{"title": "a/b"}', "1.0.0.json")
    write(tmp_path, "a/b", "1.0.0.json\n", "1.0.0")
    write(tmp_path, "a/b", "title: a/b\n", "2.0.0")

    (folder,) = folders_of(tmp_path)

    assert {version: path.name for version, path in folder.released.items()} == {
        "1.0.0": "1.0.0.json",
        "2.0.0": "2.0.0",
    }
    assert links_of(folder) == {"1.0.0": "1.0.0.json", "latest": "2.0.0"}


def test_the_links_of_a_folder_count_what_is_about_to_be_released(tmp_path):
    write(tmp_path, "a/b", "title: a/b\n", "1.0.0.yaml")
    (tmp_path / "a/b/latest.yaml").symlink_to("1.0.0.yaml")

    (folder,) = folders_of(tmp_path)

    assert links_of(folder, "1.1.0") == {
        "1.0.0": "1.0.0.yaml",
        "1.1.0": "1.1.0.yaml",
        "latest": "1.1.0.yaml",
        "latest.yaml": "1.1.0.yaml",
    }


def test_a_file_with_the_name_of_another_stands_for_a_link(tmp_path):
    (tmp_path / "plain").write_text("1.0.0.yaml")
    (tmp_path / "real").symlink_to("2.0.0.yaml")
    (tmp_path / "words").write_text("no link")

    targets = [link_target(tmp_path / name) for name in ("plain", "real", "words", "missing")]

    assert targets == ["1.0.0.yaml", "2.0.0.yaml", None, None]


def test_versions_compare_by_their_numbers():
    assert max(["1.9.9", "1.10.0"], key=order_of) == "1.10.0"
