import pytest

from migration.linting.linter import NAMES, lint
from migration.materialize import Library
from migration.materializefiles import releases_of, write
from migration.repository import folders_of
from tests.migration.shop import FRAGMENT, VISIT, shop
from tests.migration.shop import write as write_schema


def materialize(repository):
    for release in releases_of(folders_of(repository), Library([repository])):
        assert release.state != "refused", release.problem
        write(release)


def found(repository):
    folders = folders_of(repository)
    library = Library([repository])
    library.add_unreleased(folders)
    return [
        (one.rule, one.path.relative_to(repository).as_posix(), one.line)
        for one in lint(folders, library)
    ]


def changed(repository, old, new, text=VISIT):
    """Lint a clean, released repository after one change to a current.yaml."""
    assert old in text
    materialize(shop(repository))
    write_schema(repository, "shop/visit", text.replace(old, new))
    return found(repository)


def test_a_materialized_repository_is_clean(tmp_path):
    materialize(shop(tmp_path))

    assert found(tmp_path) == []


def test_what_is_not_released_yet_is_told_at_its_id(tmp_path):
    shop(tmp_path)

    assert found(tmp_path) == [
        ("current-released", "fragment/common/current.yaml", 3),
        ("current-released", "shop/visit/current.yaml", 3),
    ]


CURRENT = "shop/visit/current.yaml"
NUMBER = "      number:\n        type: integer\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title: shop/visit", "title: shop/visits", [("title", 1), ("current-released", 1)]),
        (
            "title: shop/visit",
            "title: shop/visit\ntitle: shop/visit",
            [("duplicate-keys", 2)],
        ),
        ("$id: /shop/visit/1.0.0", "$id: /shop/visit/2.0.0", [("current-released", 3)]),
        ("$id: /shop/visit/1.0.0", "$id: /shop/visit/0.0.1", [("current-released", 3)]),
        ("$id: /shop/visit/1.0.0", "$id: /shop/other/1.0.0", [("id", 3), ("current-released", 3)]),
        ("$id: /shop/visit/1.0.0", "$id: shop visit", [("id", 3), ("materializes", 3)]),
        ("common/1.0.0#", "common/latest", [("fixed-references", 7), ("materializes", 7)]),
        ("common/1.0.0#", "common/3.0.0", [("materializes", 7)]),
        ("      door:", "      Door:", None),
        ("draft-07/schema#", "draft-06/schema#", [("dialect", 4), ("current-released", 4)]),
        (
            NUMBER,
            "      number:\n        type: [integer, 'null']\n",
            [("one-type", 14), ("current-released", 13)],
        ),
        (NUMBER, "      number: {}\n", [("one-type", 13), ("current-released", 13)]),
        (NUMBER, "      number: {type: object}\n", [("one-type", 13), ("current-released", 13)]),
        (NUMBER, "      number: {type: array}\n", [("one-type", 13), ("current-released", 13)]),
        (
            "enum: [front, back]",
            "enum: [front, null]",
            [("one-type", 12), ("current-released", 12)],
        ),
        (
            NUMBER,
            NUMBER + "        maximum: 9007199254740992\n",
            [("numeric-bounds", 15), ("current-released", 15)],
        ),
        ("[door]", "[door, bell]", None),
        (
            NUMBER,
            "      number:\n        type: string\n        pattern: a\n",
            [("secure", 13), ("current-released", 13)],
        ),
        (
            NUMBER,
            "      number:\n        type: integr\n",
            [("valid", 14), ("current-released", 13)],
        ),
        ("door: front", "door: side", [("examples-valid", 16), ("current-released", 15)]),
        (
            '{$ref: "#/$id"}',
            "/shop/visit/0.9.0",
            [("examples-schema", 16), ("current-released", 15)],
        ),
        ('$schema: {$ref: "#/$id"}\n    meta', "meta", None),
    ],
)
def test_each_rule_has_its_finding_in_the_line_where_it_is_broken(tmp_path, old, new, expected):
    findings = changed(tmp_path, old, new)

    assert findings
    assert {path for _, path, _ in findings} == {CURRENT}
    if expected is not None:
        assert sorted((rule, line) for rule, _, line in findings) == sorted(expected)


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ("      door:", "      Door:", "snake-case", 10),
        ("[door]", "[door, bell]", "required-exists", 8),
        ('$schema: {$ref: "#/$id"}\n    meta', "meta", "examples-schema", 16),
    ],
)
def test_a_finding_that_brings_others_is_there_too(tmp_path, old, new, rule, line):
    assert (rule, CURRENT, line) in changed(tmp_path, old, new)


def test_properties_of_old_events_keep_their_names(tmp_path):
    text = VISIT.replace("shop/visit", "analytics/legacy/visit").replace("number:", "Number:")
    shop(tmp_path)
    write_schema(tmp_path, "analytics/legacy/visit", text)
    materialize(tmp_path)

    assert found(tmp_path) == []


def test_a_release_is_judged_by_itself_where_current_yaml_says_something_else(tmp_path):
    materialize(shop(tmp_path))
    path = tmp_path / "shop/visit/1.0.0.yaml"
    text = path.read_text()
    path.write_text(text.replace("    minimum: -9007199254740991\n", ""))

    findings = found(tmp_path)

    line = next(i for i, line in enumerate(text.splitlines(), 1) if line == "  number:")
    assert findings == [
        ("current-released", CURRENT, 13),
        ("numeric-bounds", "shop/visit/1.0.0.yaml", line),
    ]


def test_a_release_without_its_own_uri_or_with_references_is_told(tmp_path):
    materialize(shop(tmp_path))
    write_schema(tmp_path, "shop/visit", VISIT, "0.9.0.yaml")
    (tmp_path / "shop/visit/0.9.0").symlink_to("0.9.0.yaml")

    findings = found(tmp_path)

    path = "shop/visit/0.9.0.yaml"
    assert ("id", path, 3) in findings
    assert ("dereferenced", path, 7) in findings
    assert {one for _, one, _ in findings} == {path}


def test_links_and_a_missing_current_yaml_are_told(tmp_path):
    materialize(shop(tmp_path))
    (tmp_path / CURRENT).unlink()
    (tmp_path / "shop/visit/latest").unlink()
    (tmp_path / "shop/visit/1.0.0").unlink()
    (tmp_path / "shop/visit/1.0.0").symlink_to("9.9.9.yaml")

    assert found(tmp_path) == [
        ("current", "shop/visit/1.0.0.yaml", 1),
        ("links", "shop/visit/1.0.0", 1),
        ("links", "shop/visit/latest", 1),
    ]


def test_a_file_that_cannot_be_read_is_told_with_its_line(tmp_path):
    assert changed(tmp_path, "type: object", "type: [object") == [("readable", CURRENT, 6)]


def test_what_is_wrong_in_a_fragment_is_told_where_the_reference_is(tmp_path):
    fragment = FRAGMENT.replace("stream: {", "Stream: {").replace("[stream]", "[Stream]")
    fragment = fragment.replace("stream: fragment", "Stream: fragment")
    visit = VISIT.replace("meta: {stream", "meta: {Stream")
    materialize(shop(tmp_path, visit=visit, fragment=fragment))

    assert found(tmp_path) == [
        ("snake-case", "fragment/common/current.yaml", 14),
        ("snake-case", CURRENT, 7),
    ]


def test_every_rule_is_met_by_a_test_here():
    met = {
        *("title", "id", "duplicate-keys", "fixed-references", "dialect", "valid", "dereferenced"),
        *("secure", "snake-case", "one-type", "required-exists", "numeric-bounds", "readable"),
        *("examples-valid", "examples-schema", "current", "links", "current-released"),
        "materializes",
    }

    assert met == set(NAMES)
