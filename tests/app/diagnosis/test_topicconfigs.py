import pytest

from app.diagnosis.topicconfigs import Demands, judge_configs
from app.diagnosis.topics import Partition, Topic, Wanted

GOOD = {
    "cleanup.policy": "delete",
    "max.message.bytes": "1048588",
    "message.timestamp.after.max.ms": "3600000",
    "message.timestamp.before.max.ms": "9223372036854775807",
    "message.timestamp.type": "CreateTime",
    "min.insync.replicas": "2",
}
DEMANDS = Demands(max_event_size=1_048_576, client_times=True, spool_age=86_400)


def judged(
    *,
    replicas: int = 3,
    in_sync: int = 3,
    keyed: bool = True,
    demands: Demands = DEMANDS,
    **changes: str,
):
    config = GOOD | {name.replace("_", "."): value for name, value in changes.items()}
    topic = Topic("t", 0, [Partition(leader=1, replicas=replicas, in_sync=in_sync)])
    return judge_configs([Wanted("t", "s", keyed=keyed)], {"t": topic}, {"t": config}, demands)


def test_what_is_configured_as_it_should_be_is_one_line():
    (found,) = judged()

    assert found.level == "ok"


@pytest.mark.parametrize(
    ("changes", "level", "text"),
    [
        ({"max_message_bytes": "1000"}, "warning", "max.message.bytes is 1,000, less than"),
        ({"min_insync_replicas": "1"}, "warning", "min.insync.replicas is 1 although"),
        ({"min_insync_replicas": "3"}, "warning", "as many as there are replicas"),
        ({"min_insync_replicas": "4"}, "problem", "but there are fewer replicas"),
        ({"in_sync": 1}, "problem", "Fewer replicas are in sync than min.insync.replicas (2)"),
        ({"message_timestamp_after_max_ms": "1000"}, "warning", "after.max.ms is 1,000"),
        ({"message_timestamp_before_max_ms": "60000"}, "warning", "less than spool.max_age"),
        ({"cleanup_policy": "compact,delete", "keyed": False}, "problem", "Compacted"),
    ],
)
def test_each_thing_that_does_not_fit_is_found(changes, level, text):
    (found,) = judged(**changes)

    assert found.level == level
    assert text in found.text
    assert found.text.endswith(": t.")
    assert found.advice


@pytest.mark.parametrize(
    "changes",
    [
        {"cleanup_policy": "compact"},
        {"min_insync_replicas": "1", "replicas": 1, "in_sync": 1},
        {"min_insync_replicas": "1", "demands": Demands(1_000, acks_all=False)},
        {"message_timestamp_after_max_ms": "1000", "message_timestamp_type": "LogAppendTime"},
        {"message_timestamp_after_max_ms": "1000", "demands": Demands(1_000)},
        {"message_timestamp_before_max_ms": "1000", "demands": Demands(1_000)},
        {"max_message_bytes": "no number"},
    ],
    ids=[
        "compacted with keys",
        "one replica",
        "acks of the leader",
        "times of the broker",
        "times of receipt",
        "no spool",
        "unreadable",
    ],
)
def test_what_does_no_harm_is_not_found(changes):
    (found,) = judged(**changes)

    assert found.level == "ok"


def test_topics_with_the_same_trouble_share_a_line():
    topics = {n: Topic(n, 0, [Partition(leader=1, replicas=3, in_sync=3)]) for n in ("a", "b")}
    configs = dict.fromkeys(topics, GOOD | {"max.message.bytes": "9"})

    findings = judge_configs([Wanted(n, n) for n in topics], topics, configs, DEMANDS)

    assert [each.text.rpartition(": ")[2] for each in findings] == ["a, b."]


def test_what_could_not_be_looked_at_is_said():
    topic = Topic("t", 0, [Partition(leader=1, replicas=1, in_sync=1)])

    (found,) = judge_configs([Wanted("t", "s")], {"t": topic}, {}, DEMANDS)

    assert found.level == "warning"
    assert found.text == "How these are configured could not be looked at: t."
    assert "DescribeConfigs" in found.advice
