import pytest

from app.core.yaml import parse_yaml
from migration.materialize import Library
from migration.materializefiles import differences, releases_of, write
from migration.repository import folders_of
from tests.migration.shop import VISIT, shop, tree
from tests.migration.shop import write as write_schema


def releases(repository):
    return {one.title: one for one in releases_of(folders_of(repository), Library([repository]))}


def materialize(repository):
    made = releases(repository)
    for release in made.values():
        write(release)
    return made


def test_schemas_are_released_with_links_whatever_the_order_of_their_references(tmp_path):
    shop(tmp_path)
    write_schema(
        tmp_path,
        "a",
        "$id: /a/1.0.0\ntitle: a\nallOf: [{$ref: /shop/visit/1.0.0}]\ntype: object\n",
    )

    made = materialize(tmp_path)

    assert {one.state for one in made.values()} == {"new"}
    files = tree(tmp_path)
    assert files["shop/visit/1.0.0"] == "-> 1.0.0.yaml"
    assert files["shop/visit/latest"] == "-> 1.0.0.yaml"
    assert "$ref" not in files["a/1.0.0.yaml"]
    assert parse_yaml(files["a/1.0.0.yaml"])["required"] == ["$schema", "door", "meta"]


def test_doing_it_again_changes_nothing_and_doing_it_anew_gives_the_same_bytes(tmp_path):
    materialize(shop(tmp_path / "one"))
    first = tree(tmp_path / "one")

    again = materialize(tmp_path / "one")
    materialize(shop(tmp_path / "two"))

    assert {one.state for one in again.values()} == {"unchanged"}
    assert not any(one.changes for one in again.values())
    assert tree(tmp_path / "one") == first
    assert tree(tmp_path / "two") == first


def test_a_release_never_changes(tmp_path):
    materialize(shop(tmp_path))
    before = tree(tmp_path)
    shop(tmp_path, visit=VISIT.replace("[front, back]", "[front, back, side]"))

    refused = materialize(tmp_path)["shop/visit"]

    assert refused.state == "refused"
    assert refused.line == 3
    assert "differs at #/properties/door/enum" in refused.problem
    assert "higher version" in refused.problem
    after = tree(tmp_path)
    assert after.pop("shop/visit/current.yaml") != before.pop("shop/visit/current.yaml")
    assert after == before


def test_another_text_of_the_same_release_is_left_as_it_is(tmp_path):
    materialize(shop(tmp_path))
    path = tmp_path / "shop/visit/1.0.0.yaml"
    path.write_text("# by hand\n" + path.read_text())

    release = materialize(tmp_path)["shop/visit"]

    assert release.state == "unchanged"
    assert path.read_text().startswith("# by hand\n")


def test_a_new_version_moves_latest_and_leaves_the_old_one(tmp_path):
    materialize(shop(tmp_path))
    old = (tmp_path / "shop/visit/1.0.0.yaml").read_bytes()
    shop(tmp_path, visit=VISIT.replace("1.0.0\n$sch", "1.10.0\n$sch"))

    release = materialize(tmp_path)["shop/visit"]

    assert release.state == "new"
    assert tree(tmp_path)["shop/visit/latest"] == "-> 1.10.0.yaml"
    assert tree(tmp_path)["shop/visit/1.0.0"] == "-> 1.0.0.yaml"
    assert (tmp_path / "shop/visit/1.0.0.yaml").read_bytes() == old


def test_links_are_mended_and_files_that_stand_for_links_stay_files(tmp_path):
    materialize(shop(tmp_path))
    folder = tmp_path / "shop/visit"
    (folder / "1.0.0").unlink()
    (folder / "latest").unlink()
    (folder / "latest").write_text("0.9.0.yaml")

    release = materialize(tmp_path)["shop/visit"]

    assert release.state == "unchanged"
    assert [link.path.name for link in release.links] == ["1.0.0", "latest"]
    assert tree(tmp_path)["shop/visit/1.0.0"] == "-> 1.0.0.yaml"
    assert tree(tmp_path)["shop/visit/latest"] == "1.0.0.yaml"


@pytest.mark.parametrize(
    ("visit", "line", "said"),
    [
        (VISIT.replace("title: shop/visit", "title: shop/visits"), 1, "title has to be that of"),
        (VISIT.replace("$id: /shop/visit", "$id: /shop/visits"), 3, "its folder is shop/visit"),
        (VISIT.replace("/shop/visit/1.0.0", "/shop/visit/0.9.0"), 3, "1.0.0 is released already"),
        (VISIT.replace("common/1.0.0", "common/7.0.0"), 7, "is not released"),
        (VISIT.replace("1.0.0\n$s", "1.1.0\n$s").replace("front\n", "none\n"), 1, "own example"),
        ("title: [\n", 2, "not YAML"),
    ],
)
def test_what_must_not_be_released_is_refused_with_its_line(tmp_path, visit, line, said):
    materialize(shop(tmp_path))
    before = tree(tmp_path)
    shop(tmp_path, visit=visit)

    refused = materialize(tmp_path)["shop/visit"]

    assert (refused.state, refused.line) == ("refused", line)
    assert said in refused.problem
    assert tree(tmp_path) == before | {"shop/visit/current.yaml": visit}


def test_a_json_release_counts_as_one(tmp_path):
    shop(tmp_path)
    write_schema(tmp_path, "fragment/common", '{"$id": "/fragment/common/1.0.0"}', "1.0.0.json")

    release = releases(tmp_path)["fragment/common"]

    assert release.state == "refused"
    assert "is released and differs" in release.problem


def test_a_release_that_cannot_be_read_is_refused_and_not_replaced(tmp_path):
    shop(tmp_path)
    write_schema(tmp_path, "fragment/common", "a: [", "1.0.0.yaml")

    release = materialize(tmp_path)["fragment/common"]

    assert (release.state, release.line) == ("refused", 3)
    assert "cannot be read: it is not YAML" in release.problem
    assert tree(tmp_path)["fragment/common/1.0.0.yaml"] == "a: ["


def test_differences_are_told_by_place():
    one = {"a": {"b": 1, "c": [1]}, "d": None}
    other = {"a": {"b": True, "c": [1]}}

    assert list(differences(one, other)) == [("a", "b"), ("d",)]
