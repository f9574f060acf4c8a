import argparse
import json

import pytest

from migration.commands.materialize import add_arguments, run
from tests.migration.shop import VISIT, shop, tree, write


def called(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(word) for word in words]))


def test_a_check_writes_nothing_and_says_what_would_be(tmp_path, capsys):
    shop(tmp_path)
    before = tree(tmp_path)

    code = called(tmp_path, "--check")

    assert code == 1
    assert tree(tmp_path) == before
    said = capsys.readouterr().out
    assert f"would release {tmp_path}/shop/visit/1.0.0.yaml\n" in said
    assert f"would link {tmp_path}/shop/visit/latest to 1.0.0.yaml\n" in said


def test_what_is_released_needs_no_more(tmp_path, capsys):
    shop(tmp_path)

    codes = [called(tmp_path), called(tmp_path), called(tmp_path, "--check")]

    assert codes == [0, 0, 0]
    assert capsys.readouterr().out.endswith("2 unchanged\n2 unchanged\n")


def test_a_refusal_is_told_with_its_line_and_does_not_keep_others_back(tmp_path, capsys):
    shop(tmp_path, visit=VISIT.replace("title: shop/visit", "title: visit"))

    code = called(tmp_path)

    assert code == 1
    assert f"{tmp_path}/shop/visit/current.yaml:1: refused: " in capsys.readouterr().out
    assert "fragment/common/1.0.0.yaml" in tree(tmp_path)
    assert "shop/visit/1.0.0.yaml" not in tree(tmp_path)


def test_schemas_can_be_chosen_and_other_repositories_referred_to(tmp_path):
    shop(tmp_path / "all")
    write(tmp_path / "mine", "shop/visit", VISIT)

    codes = [
        called(tmp_path / "all", "shop/visit"),
        called(tmp_path / "all", "fragment/common"),
        called(tmp_path / "mine", "shop/visit", "--schemas", tmp_path / "all"),
    ]

    assert codes == [1, 0, 0]
    assert "shop/visit/1.0.0.yaml" in tree(tmp_path / "mine")
    assert "shop/visit/1.0.0.yaml" not in tree(tmp_path / "all")


def test_bounds_can_be_left_away(tmp_path):
    called(shop(tmp_path), "--numeric-bounds", "none")

    assert "minimum" not in tree(tmp_path)["shop/visit/1.0.0.yaml"]


def test_json_has_a_line_for_each_schema(tmp_path, capsys):
    shop(tmp_path, visit=VISIT.replace("title: shop/visit", "title: visit"))

    called(tmp_path, "--json")

    fragment, visit = map(json.loads, capsys.readouterr().out.splitlines())
    assert (fragment["state"], fragment["written"]) == ("new", True)
    assert fragment["links"] == {"1.0.0": "1.0.0.yaml", "latest": "1.0.0.yaml"}
    assert (visit["state"], visit["line"]) == ("refused", 1)


@pytest.mark.parametrize("words", [["missing"], ["."], [".", "no/such"], [".", "--schemas", "x"]])
def test_a_wrong_call_is_refused(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)

    assert called(*words) == 2
    assert capsys.readouterr().err.startswith("sluiceway migrate materialize: ")
