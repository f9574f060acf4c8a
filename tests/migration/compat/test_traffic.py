import json

from migration.compat.sides import Fault
from migration.compat.traffic import MAX_SAMPLES, judged, read_events
from tests.migration.compat.sides import side

OLD = {"type": "object", "properties": {"a": {"type": "string"}}}
NEW = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}, "b": {}}}


def test_events_are_counted_by_who_takes_them():
    new = {"type": "object", "properties": {"a": {"type": ["string", "null"], "maxLength": 2}}}
    events = [{"a": "x"}, {"a": "xyz"}, {"a": None}, {"a": 1}, {}]

    traffic = judged(side(OLD), side(new), enumerate(events, 1))

    assert traffic.counts == {"both": 2, "old only": 1, "new only": 1, "neither": 1}


def test_the_first_event_of_each_rule_and_place_is_kept_with_their_number():
    events = [{"a": "x"}, {"a": "xyz"}, {"a": "four"}]

    traffic = judged(side(OLD), side(NEW), enumerate(events, 1))

    [(key, (sample, count))] = traffic.samples.items()
    assert key == ("old only", "/a", "maxLength")
    assert (sample.line, sample.event, count) == (2, {"a": "xyz"}, 2)
    assert sample.fault == Fault("/a", "maxLength", sample.fault.message)


def test_no_more_samples_are_kept_than_a_person_would_read():
    listed = {f"p{n}": {"type": "null"} for n in range(MAX_SAMPLES + 9)}
    events = ({name: 1} for name in listed)

    traffic = judged(
        side({"type": "object"}),
        side({"type": "object", "properties": listed}),
        enumerate(events, 1),
    )

    assert traffic.counts["old only"] == MAX_SAMPLES + 9
    assert len(traffic.samples) == MAX_SAMPLES


def test_lines_are_numbered_as_in_the_file_and_what_is_no_object_is_unreadable(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text("\n" + json.dumps({"a": "xyz"}) + "\n[1]\nnot json\n\n{}\n")

    lines = list(read_events(file))
    traffic = judged(side(OLD), side(NEW), lines)

    assert [number for number, _ in lines] == [2, 3, 4, 6]
    assert traffic.unreadable == 2
    assert traffic.counts["both"] == traffic.counts["old only"] == 1
