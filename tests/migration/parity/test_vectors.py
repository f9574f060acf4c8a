"""The recorded validity vectors through both judges; with -s what was found is shown."""

import json
import shutil
from collections import Counter
from urllib.parse import unquote

import pytest

from app.core.yaml import parse_yaml
from legacy.strict.cases import line_of
from migration.commands.verify import run
from migration.parity.causes import CLASSES
from migration.parity.report import load_report
from tests.migration.support import arguments


@pytest.fixture
def cases(shared):
    path = shared / "legacy" / "vectors" / "dev-validity.jsonl"
    cases = [json.loads(each) for each in path.read_text().splitlines()]
    return [case for case in cases if case.get("draft07")]


@pytest.fixture
def house(shared, cases, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    for path in (shared / "legacy" / "schemas-draft3").rglob("*.json"):
        shutil.copy(path, old)
    mapping, streams = {}, {}
    for case in cases:
        name = json.loads(unquote(case["input"]["query"].strip("?;&")))["schema"]
        uri = case["draft07"]["schema"]
        mapping[name] = {"schema_uri": uri, "stream": f"eventlogging_{name}"}
        title = uri.strip("/").rpartition("/")[0]
        streams[f"eventlogging_{name}"] = {"schema_title": title}
    schemas = shared / "modern" / "schemas"
    bases = [str(schemas / name / "jsonschema") for name in ("primary", "secondary")]
    settings = {
        "schemas": {"base_uris": bases},
        "streams": {"uri": str(tmp_path / "streams.yaml")},
        "legacy": {"mapping": str(tmp_path / "mapping.yaml")},
    }
    (tmp_path / "streams.yaml").write_text(json.dumps(streams))
    (tmp_path / "mapping.yaml").write_text(json.dumps({"schemas": mapping}))
    (tmp_path / "settings.yaml").write_text(json.dumps(settings))
    (tmp_path / "lines").write_text("".join(f"{line_of(case['input'])}\n" for case in cases))
    return ["--config", str(tmp_path / "settings.yaml"), "--old-schemas", str(old)]


def taken(case, shared):
    """Whether the new side takes an event: the recorded verdict, and what the mapping decided."""
    if json.loads(unquote(case["input"]["query"].strip("?;&"))).get("event") not in (None, []):
        return case["draft07"]["event_valid"]
    # A missing event is taken for an empty one, of which the schema may ask nothing.
    uri = case["draft07"]["schema"]
    schema = shared / "modern" / "schemas" / "secondary" / "jsonschema" / f"{uri[1:]}.yaml"
    return "required" not in parse_yaml(schema.read_bytes())["properties"]["event"]


def test_the_differences_are_exactly_the_four_known_classes(house, cases, tmp_path, shared, capsys):
    out = tmp_path / "report.json"

    ended = run(arguments("verify", str(tmp_path / "lines"), *house, "--out", str(out)))
    allowed = run(
        arguments(
            *("verify", str(tmp_path / "lines"), *house, "--jobs", "1"),
            *(f"--allow={kind}" for kind in CLASSES),
        )
    )

    report = load_report(out)
    matrix = report["totals"]["matrix"]
    told = Counter((case["expected"]["status"] == "valid", taken(case, shared)) for case in cases)
    with capsys.disabled():
        print(f"\n{matrix}\n{report['totals']['classes']}")
    assert report["totals"]["classes"].keys() == CLASSES.keys()
    assert (ended, allowed) == (1, 0)
    assert matrix["both_accept"] == told[True, True]
    assert matrix["only_old"] == told[True, False]
    assert matrix["only_new"] == told[False, True]
    assert matrix["both_refuse"] == told[False, False]
    assert matrix["undecodable"] == 0
