import pytest

from migration.progress.states import STATES, Evidence, Goals, standing_of

GOALS = Goals(events=100, days=30, allowed=frozenset({"unknown_property"}))
REPORT = {
    "matrix": {
        "both_accept": 90,
        "both_refuse": 10,
        "only_old": 0,
        "only_new": 0,
        "undecodable": 5,
    },
    "classes": {},
    "differing": 0,
    "differences": [],
}
WHOLE = {
    "revisions": [7],
    "current": "analytics/legacy/click/current.yaml",
    "released": ["1.0.0"],
    "target": "/analytics/legacy/click/1.0.0",
    "stream": "eventlogging_Click",
    "stream_title": "analytics/legacy/click",
    "report": REPORT,
    "modern_events": 5,
    "silent_days": 31.0,
}


def standing(**changes):
    return standing_of(Evidence("Click", "analytics/legacy/click", **(WHOLE | changes)), GOALS)


@pytest.mark.parametrize(
    ("changes", "state", "blocks"),
    [
        ({"current": None}, "discovered", "not in the repository"),
        ({"problems": ["current.yaml:3: oh"]}, "converted", "lint finds 1: current.yaml:3: oh"),
        ({"released": []}, "converted", "no version is released"),
        ({"target": None, "modern_events": 0}, "linted", "the mapping does not name it"),
        ({"stream_title": None}, "linted", "does not take"),
        ({"stream_title": "another"}, "linted", "does not take"),
        ({"report": None}, "mapped", "no recorded event"),
        ({"report": REPORT | {"classes": {"whole_float": 2}}}, "shadowed", "whole_float 2"),
        (
            {"report": REPORT | {"classes": {"unknown_property+whole_float": 2}}},
            "shadowed",
            "verdicts differ",
        ),
        (
            {
                "report": REPORT
                | {"differing": 3, "differences": [{"kind": "added", "pointer": "/event/x"}]}
            },
            "shadowed",
            "3 events are stored otherwise: added at /event/x",
        ),
        (
            {"report": REPORT | {"matrix": REPORT["matrix"] | {"both_accept": 89}}},
            "shadowed",
            "99 events were replayed, of 100",
        ),
        ({"modern_events": None}, "parity proven", "nobody asked"),
        ({"modern_events": 0}, "parity proven", "no client sends it"),
        ({"silent_days": None}, "cut over", "no history"),
        ({"silent_days": 29.5}, "cut over", "29.5 days, of 30"),
        ({}, "legacy silent", "the mapping still names it"),
        ({"target": None, "stream_title": None}, "retired", ""),
    ],
)
def test_each_missing_thing_keeps_a_schema_where_it_is(changes, state, blocks):
    found = standing(**changes)

    assert found.state == state
    assert blocks in found.blocks
    assert bool(found.blocks) == (state != "retired")


def test_a_difference_that_is_allowed_is_no_obstacle():
    found = standing(report=REPORT | {"classes": {"unknown_property": 4}})

    assert found.state == "legacy silent"


def test_what_it_rests_on_is_told_step_by_step():
    found = standing()

    assert len(found.shown) == STATES.index("legacy silent") + 1
    assert "100 recorded events" in found.shown[4]
