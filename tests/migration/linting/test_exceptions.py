from pathlib import Path

import pytest

from app.core.errors import ConfigError
from migration.linting.exceptions import load_exceptions, unused
from migration.linting.finding import Finding


def finding(rule, uri):
    return Finding(rule, Path("current.yaml"), 1, "why", names=(uri,))


def load(folder, text):
    path = folder / "exceptions.yaml"
    path.write_text(text)
    return load_exceptions(path)


OURS = """\
exceptions:
  - schemas: /shop/*
    rules: [snake-case, one-type]
    because: they are from before
"""


def test_an_exception_is_for_schemas_and_rules(tmp_path):
    (exception,) = load(tmp_path, OURS)

    allowed = [
        exception.allows(finding(rule, uri))
        for rule, uri in [
            ("snake-case", "/shop/visit/1.0.0"),
            ("one-type", "/shop/a/b/1.0.0"),
            ("secure", "/shop/visit/1.0.0"),
            ("snake-case", "/bookshop/visit/1.0.0"),
            ("snake-case", "/old/shop/visit/1.0.0"),
        ]
    ]

    assert allowed == [True, True, False, False, False]


def test_exceptions_that_nothing_needs_are_told(tmp_path):
    (exception,) = load(tmp_path, OURS)

    assert unused([exception], [finding("secure", "/shop/visit/1.0.0")]) == ["/shop/*"]
    assert unused([exception], [finding("one-type", "/shop/visit/1.0.0")]) == []


def test_the_configuration_of_jsonschema_tools_is_understood(tmp_path):
    exceptions = load(
        tmp_path,
        "schemaBasePath: ./jsonschema/\n"
        "skipSchemaTestCases:\n"
        "  'shop/visit/.*': [schema-deterministic-types, schema-is-secure]\n"
        "  '/shop/other/1.0.0': [schema-version-compatibility]\n",
    )

    assert [sorted(one.rules) for one in exceptions] == [["one-type", "secure"], []]
    assert exceptions[0].allows(finding("secure", "/shop/visit/1.0.0"))
    assert unused(exceptions[1:], []) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "object with exceptions"),
        ("exceptions: [{schemas: /a, rules: [title]}]", "schemas, rules and because"),
        ("exceptions: [{schemas: a, rules: [title], because: so}]", "is a URI"),
        ("exceptions: [{schemas: /a, rules: [titles], because: so}]", "have to be some of"),
        ("exceptions: [{schemas: /a, rules: [[]], because: so}]", "unhashable"),
        ("exceptions: [{schemas: /a, rules: [title], because: ' '}]", "does not say why"),
        ("skipSchemaTestCases: []", "has to be an object"),
        ("skipSchemaTestCases: {'(': []}", "exceptions.yaml: "),
        ("skipSchemaTestCases: {a: b}", "have to be a list"),
        ("a: [", "not YAML"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_what_to_do(tmp_path, text, said):
    with pytest.raises(ConfigError, match=r"exceptions\.yaml") as refused:
        load(tmp_path, text)

    assert said in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_exceptions(tmp_path / "none.yaml")
