import json

from migration.compat.report import json_of, text_of
from migration.compat.traffic import judged
from tests.migration.compat.sides import compared

OLD = {"type": "object", "properties": {"a": {"type": "string"}}}
NEW = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}}


def against(comparison, *events):
    return judged(comparison.old, comparison.new, enumerate(events, 1))


def test_the_text_says_verdict_change_meaning_and_example():
    lines = text_of(compared(OLD, NEW)).splitlines()

    assert lines[:5] == [
        "old: old",
        "new: new",
        "",
        "backward BREAKS        events that were valid stay valid",
        "forward  compatible    events that are valid now were valid before",
    ]
    assert "1. /a: maxLength is new: 2 (how long texts may be)" in lines
    shown = lines[lines.index("      Valid under old, invalid under new:") + 1]
    assert len(json.loads(shown)["a"]) > 2


def test_without_differences_the_text_says_so():
    same = compared(OLD, {**OLD, "description": "another"})

    assert text_of(same).endswith("There are no differences that events could show.")


def test_a_verdict_that_hangs_on_unlisted_properties_is_qualified():
    more = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "null"}}}

    text = text_of(compared(OLD, more))

    assert "(of events with listed properties only: compatible)" in text
    assert "backward: BREAKS (undeclared)" in text


def test_real_events_are_counted_and_the_refused_shown():
    comparison = compared(OLD, NEW)

    text = text_of(comparison, against(comparison, {"a": "x"}, {"a": "long"}, None))

    assert "Real events, valid under: 1 both, 1 old only, 0 new only, 0 neither" in text
    assert "1 line holds no JSON object." in text
    assert '      line 2: {"a": "long"}' in text.splitlines()


def test_the_json_holds_the_same():
    comparison = compared(OLD, NEW)

    made = json.loads(json.dumps(json_of(comparison, against(comparison, {"a": "long"}))))

    assert made["backward"] == {"verdict": "breaks", "verdict_of_declared": "breaks"}
    assert made["forward"]["verdict"] == "compatible"
    [difference] = made["differences"]
    assert (difference["pointer"], difference["keyword"]) == ("/a", "maxLength")
    assert (difference["old"], difference["new"]) == (None, 2)
    example = difference["backward"]["example"]
    assert (example["pointer"], example["keyword"]) == ("/a", "maxLength")
    assert comparison.old.takes(example["event"])
    assert not comparison.new.takes(example["event"])
    assert "example" not in difference["forward"]
    assert made["against"]["events"] == {"both": 0, "old_only": 1, "new_only": 0, "neither": 0}
    assert made["against"]["samples"][0]["line"] == 1


def test_without_real_events_the_json_says_nothing_of_them():
    assert "against" not in json_of(compared(OLD, NEW))
