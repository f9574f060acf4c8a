import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.yaml import YamlError, parse_yaml

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(JSON_VALUES)
def test_json_means_the_same_as_yaml(value):
    assert parse_yaml(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("[yes, on, off, y]", ["yes", "on", "off", "y"]),
        ("12:30", "12:30"),
        ("2020-01-02", "2020-01-02"),
        ("2020-01-02T03:04:05Z", "2020-01-02T03:04:05Z"),
        ("[1e3, 1.5, .5, -2]", [1000.0, 1.5, 0.5, -2]),
        ("[true, null, ~, '']", [True, None, None, ""]),
        ("1: one", {"1": "one"}),
        ("{on: 1, true: 2}", {"on": 1, "true": 2}),
        ("a: &x {b: 1}\nc: {<<: *x}", {"a": {"b": 1}, "c": {"b": 1}}),
    ],
)
def test_words_mean_what_yaml_1_2_says(text, value):
    assert parse_yaml(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: b: c",
        "!!python/object:os.system {}",
        "? [1]\n: 2",
        "[" * 5000 + "]" * 5000,
        "a: &a [*a]",
        "a: 1e999",
        '{"a": 1e999}',
        "[" * 100_000,
        "- " * 100_000,
        "{a: " * 100_000,
        "? " * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_what_cannot_be_json_is_refused(text):
    with pytest.raises(YamlError):
        parse_yaml(text)


def test_aliases_cannot_multiply_a_text_without_bound():
    rows = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    rows += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]

    with pytest.raises(YamlError, match="values"):
        parse_yaml("\n".join(rows))
