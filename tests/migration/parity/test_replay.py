import json

import pytest

from migration.parity.judges import Plan
from migration.parity.replay import Replay
from migration.parity.report import report_of, text_of_report
from migration.parity.summary import Summary
from migration.parity.traffic import portions_of
from tests.migration.parity.house import NEW, capsule, line, query, write_house


@pytest.fixture
def judged(tmp_path):
    """Judge lines with schemas; return the report."""

    def judged(*lines, new=NEW, size=1 << 20, **plan):
        settings, old = write_house(tmp_path, new)
        traffic = tmp_path / "traffic"
        traffic.write_text("".join(f"{each}\n" for each in lines), errors="surrogateescape")
        replay = Replay(Plan(str(settings), str(old), **plan))
        whole = Summary()
        try:
            for portion in portions_of([traffic], size):
                whole.add(replay.judge(portion))
            return report_of(whole, [traffic], replay._judges.schemas)
        finally:
            replay.close()

    return judged


def nonzero(matrix):
    return {verdict: count for verdict, count in matrix.items() if count}


def test_an_event_that_both_take_is_no_difference_on_any_wire(judged):
    event = {"button": "save", "count": 3, "where": {"x": 1.5}}

    report = judged(query(event), line(event), json.dumps(capsule(event)))

    click = report["schemas"]["Click"]
    assert nonzero(click["matrix"]) == {"both_accept": 3}
    assert (click["differing"], click["differences"]) == (0, [])
    assert click["stream"] == "eventlogging_Click"
    assert click["new_schemas"] == {"/demo/click/1.0.0": 3}


@pytest.mark.parametrize(
    ("event", "verdict", "kind", "rule", "pointer"),
    [
        (
            {"button": "save", "colour": "red"},
            "only_new",
            "unknown_property",
            "additionalProperties",
            "/event/colour",
        ),
        ({"button": "save", "count": 5.0}, "only_new", "whole_float", "type", "/event/count"),
        (
            {"button": "save", "count": 2**53},
            "only_old",
            "beyond_safe_integer",
            "maximum",
            "/event/count",
        ),
        ("no object", "only_old", "event_missing", "type", "/event"),
        ({"button": "eat"}, "both_refuse", "other", "enum", "/event/button"),
    ],
)
def test_each_difference_of_verdicts_has_its_class_rule_and_place(
    judged, event, verdict, kind, rule, pointer
):
    report = judged(line({"button": "cancel"}), line(event))

    click = report["schemas"]["Click"]
    assert nonzero(click["matrix"]) == {"both_accept": 1, verdict: 1}
    [cluster] = click["clusters"]
    causes = cluster["new"] if verdict == "only_old" else cluster["old"]
    assert (cluster["class"], causes[0]["rule"], causes[0]["pointer"]) == (kind, rule, pointer)
    assert cluster["example"]["line"] == 2
    assert cluster["example"]["event"] == event
    counted = {} if verdict == "both_refuse" else {kind: 1}
    assert report["totals"]["classes"] == counted


def test_an_event_with_two_differences_has_both_classes(judged):
    report = judged(line({"button": "save", "colour": "red", "count": 5.0}))

    assert report["totals"]["classes"] == {"unknown_property+whole_float": 1}


def test_a_difference_that_nobody_knows_is_of_no_class(judged):
    stricter = json.loads(json.dumps(NEW))
    stricter["properties"]["event"]["properties"]["button"]["enum"] = ["save"]

    report = judged(line({"button": "cancel"}), new=stricter)

    assert report["totals"]["classes"] == {"other": 1}


def test_what_nobody_can_read_is_undecodable(judged):
    report = judged("nonsense", query({"button": "save"})[:40], "{", "", "x" * (1 << 20) + "yy")

    assert report["totals"]["matrix"]["undecodable"] == 4
    assert report["totals"]["lines"] == 4


def test_an_array_of_capsules_is_as_many_events(judged):
    report = judged(json.dumps([capsule({"button": "save"}), capsule({"button": "eat"})]))

    assert nonzero(report["totals"]["matrix"]) == {"both_accept": 1, "both_refuse": 1}


def test_an_event_that_is_changed_on_the_way_is_told_of(judged):
    filling = json.loads(json.dumps(NEW))
    filling["properties"]["event"]["properties"]["count"]["default"] = 1

    report = judged(line({"button": "save"}), new=filling)

    [difference] = report["schemas"]["Click"]["differences"]
    assert (difference["pointer"], difference["kind"]) == ("/event/count", "added")
    assert difference["new"] == 1
    assert difference["count"] == 1


def test_a_time_that_a_client_set_is_a_difference_and_changes_the_identity(judged):
    report = judged(line({"button": "save"}, dt="2001-01-01T00:00:00Z"))

    found = {each["pointer"]: each for each in report["schemas"]["Click"]["differences"]}
    assert found.keys() == {"/dt", "/uuid"}
    assert (found["/dt"]["old"][:4], found["/dt"]["new"][:4]) == ("2001", "2019")


def test_coverage_names_what_the_traffic_never_had(judged):
    report = judged(line({"button": "save", "where": {}}), line({"button": "save"}))

    coverage = report["schemas"]["Click"]["coverage"]
    assert coverage["properties"]["/event/button"] == 2
    assert coverage["enums"]["/event/button"] == {'"cancel"': 0, '"save"': 2}
    assert coverage["never"] == ["/event/count", "/event/where/x", '/event/button = "cancel"']


@pytest.mark.parametrize("size", [1, 7, 100, 333, 5_000])
def test_the_report_does_not_depend_on_where_files_are_cut(judged, tmp_path, size):
    events = [{"button": "save", "count": n} for n in range(10)]
    events += [{"button": "save", "count": 5.0}, {"button": "eat"}, 3]
    lines = [line(event, number) for number, event in enumerate(events)] + ["", "nonsense"]

    cut = judged(*lines, size=size)
    again = Replay(Plan(str(tmp_path / "settings.yaml"), str(tmp_path / "old")))
    try:
        whole = Summary()
        for portion in portions_of([tmp_path / "traffic"], 1 << 20):
            whole.add(again.judge(portion))
        uncut = report_of(whole, [tmp_path / "traffic"], again._judges.schemas)
    finally:
        again.close()

    assert text_of_report(cut) == text_of_report(uncut)
    assert cut["totals"]["lines"] == 14
