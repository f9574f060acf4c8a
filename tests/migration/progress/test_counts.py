from datetime import UTC, datetime, timedelta

import pytest

from app.core.errors import ConfigError
from migration.progress.counts import (
    Snapshot,
    append,
    counts_of,
    load_history,
    parsed_counts,
    silent_days,
    stored,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = """\
# TYPE sluiceway_events_total counter
sluiceway_events_total{reason="accepted",source="beacon",status="success",stream="s"} 7.0
sluiceway_events_total{reason="accepted",source="events",status="success",stream="s"} 3.0
sluiceway_events_total{reason="schema_violation",source="beacon",status="invalid",stream="s"} 9.0
other_total{source="beacon"} 1.0
"""


def history(*counts):
    return [
        Snapshot(START + timedelta(days=day), {"s": {"beacon": count, "events": day}}, {})
        for day, count in enumerate(counts)
    ]


def test_stored_events_are_counted_by_the_wire_they_came_on():
    counts = parsed_counts(TEXT)

    assert stored(counts, "s", legacy=True) == 7
    assert stored(counts, "s", legacy=False) == 3
    assert stored(counts, "unheard", legacy=True) == 0


@pytest.mark.parametrize(
    ("counts", "days"),
    [
        ((5, 5, 5), 2),
        ((5, 6, 6, 6), 2),
        ((5, 6, 7), 0),
        ((5, 0, 0, 0), 3),  # the service began anew, and none came since
        ((5, 2, 2), 1),  # it began anew, and two came
        ((5,), 0),
    ],
)
def test_silence_lasts_since_the_last_snapshot_with_more(counts, days):
    assert silent_days(history(*counts), "s") == days


def test_nothing_is_known_without_a_history():
    assert silent_days([], "s") is None


def test_a_history_reads_back_as_it_was_written(tmp_path):
    path = tmp_path / "history"
    for snapshot in history(1, 2):
        append(path, snapshot)

    assert load_history(path) == history(1, 2)
    assert load_history(tmp_path / "none") == []


@pytest.mark.parametrize("text", ["nonsense", "{}", '{"at": "never", "counts": {}, "states": {}}'])
def test_what_is_no_history_is_said(tmp_path, text):
    path = tmp_path / "history"
    path.write_text(text)

    with pytest.raises(ConfigError, match="no history"):
        load_history(path)


def test_a_service_that_does_not_answer_is_said():
    with pytest.raises(ConfigError, match="--service"):
        counts_of("http://127.0.0.1:9")
