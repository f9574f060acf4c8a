import json

import pytest

from migration.commands.fuzz import run
from migration.parity.causes import CLASSES
from tests.migration.parity.house import NEW, write_house
from tests.migration.support import arguments


@pytest.fixture
def fuzz(tmp_path):
    """Run the command on the house's schemas."""

    def fuzz(*given, new=NEW):
        settings, old = write_house(tmp_path, new)
        called = arguments(
            "fuzz", *given, "--config", str(settings), "--old-schemas", str(old), "--examples", "80"
        )
        return run(called)

    return fuzz


def told(capsys):
    return [json.loads(each) for each in capsys.readouterr().out.splitlines()]


def test_it_finds_every_known_class_with_a_small_event_each(fuzz, capsys):
    assert fuzz("--json") == 1

    found = told(capsys)
    smallest = {}
    for each in found:
        event = each["capsule"].get("event")
        smallest.setdefault((each["verdict"], each["class"]), []).append(event)
    assert {kind for _, kind in smallest} == CLASSES.keys()
    assert {"button": "save", "unknown_property": 0} in smallest["only_new", "unknown_property"]
    assert {"button": "save", "count": 5.0} in smallest["only_new", "whole_float"]
    assert {"button": "save", "count": 2**53} in smallest["only_old", "beyond_safe_integer"]


def test_it_is_content_when_only_what_is_allowed_differs(fuzz, capsys):
    assert fuzz(*(f"--allow={kind}" for kind in CLASSES)) == 0

    assert "differences" in capsys.readouterr().out


def test_it_finds_what_nobody_knew(fuzz, capsys):
    stricter = json.loads(json.dumps(NEW))
    stricter["properties"]["event"]["properties"]["where"]["properties"]["x"]["maximum"] = 100

    fuzz("--json", "Click-7", new=stricter)

    others = [each for each in told(capsys) if each["class"] == "other"]
    assert [each["causes"][0]["pointer"] for each in others] == ["/event/where/x"]
    assert others[0]["capsule"]["event"]["where"]["x"] > 100


def test_the_same_seed_finds_the_same(fuzz, tmp_path, capsys):
    fuzz("--json")
    first = told(capsys)
    again = arguments(
        *("fuzz", "--json", "--config", str(tmp_path / "settings.yaml")),
        *("--old-schemas", str(tmp_path / "old"), "--examples", "80"),
    )

    run(again)

    assert told(capsys) == first


@pytest.mark.parametrize("given", [["Nobody"], ["Click-8"], ["--allow", "everything"]])
def test_a_wrong_call_ends_with_2(fuzz, given, capsys):
    assert fuzz(*given) == 2

    assert "sluiceway migrate fuzz: " in capsys.readouterr().err
