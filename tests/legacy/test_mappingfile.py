import pytest

from legacy.errors import MappingError
from legacy.mappingfile import parse_text, read_mapping


def test_yaml_scalars_stay_as_they_were_written():
    text = "version: 1.30\non: yes\n010: 1_000\nnothing:\n"

    assert parse_text(text) == {"version": "1.30", "on": "yes", "010": "1_000", "nothing": ""}


def test_json_is_read_even_with_tabs():
    assert parse_text('{\n\t"a": {"b": 1, "c": [null]}\n}\n') == {"a": {"b": 1, "c": [None]}}


def test_a_flow_mapping_of_yaml_is_not_mistaken_for_json():
    assert parse_text("{schemas: {Test: latest}}") == {"schemas": {"Test": "latest"}}


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  b: 1\n  b: 2\nc: 1\nc: 2\n",
        '{"a": {"b": 1, "b": 2}, "c": 1, "c": 1}',
        "{a: {b: 1, b: 1}, c: 1, c: 1}",
    ],
)
def test_every_key_given_twice_is_a_problem(text):
    with pytest.raises(MappingError) as caught:
        parse_text(text)

    assert caught.value.problems == (
        "The key b is given twice.",
        "The key c is given twice.",
    )


@pytest.mark.parametrize(
    "text", ["a: [", "a: b: c", "\ta: 1", "? [a]\n: 1\n", "a: &x [*x]\n", "a: \x00", "[" * 5000]
)
def test_a_text_that_is_no_yaml_is_a_problem(text):
    with pytest.raises(MappingError, match="not YAML"):
        parse_text(text)


def test_tags_make_no_objects():
    assert parse_text("a: !!python/object/apply:os.getcwd []\n") == {"a": []}


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_bytes("\ufeffschemas: {Test: é}\n".encode())

    assert read_mapping(path) == {"schemas": {"Test": "é"}}


def test_a_file_that_is_not_there_is_a_problem(tmp_path):
    with pytest.raises(MappingError, match="cannot be read: No such file"):
        read_mapping(tmp_path / "missing.yaml")


def test_a_file_that_is_not_utf_8_is_a_problem(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_bytes(b"a: \xe9\n")

    with pytest.raises(MappingError, match="not UTF-8 at byte 3"):
        read_mapping(path)
