import shlex

from hypothesis import given
from hypothesis import strategies as st

from app.diagnosis.topics import (
    MAX_COMMANDS,
    Advice,
    Partition,
    Topic,
    Wanted,
    create_command,
    judge_topics,
)

ADVICE = Advice(bootstrap="kafka1:9092", brokers=3)
WHOLE = Partition(leader=1, replicas=3, in_sync=3)


def judged(*topics: Topic, wanted: list[str] | None = None, advice: Advice = ADVICE):
    names = wanted if wanted is not None else [topic.name for topic in topics]
    return judge_topics([Wanted(n, n) for n in names], {t.name: t for t in topics}, advice)


def test_topics_that_are_whole_are_one_line():
    findings = judged(Topic("a", 0, [WHOLE] * 2), Topic("b", 0, [WHOLE]))

    assert [(each.level, each.text) for each in findings] == [
        ("ok", "2 topics with 3 partitions, replication factor 3.")
    ]


def test_missing_topics_come_with_a_command_for_each():
    (found,) = judged(wanted=["a", "b"])

    assert found.level == "problem"
    assert found.text == "2 topics do not exist: their events are answered 503."
    assert (
        "  kafka-topics.sh --bootstrap-server kafka1:9092 --create --topic b --partitions 3 "
        "--replication-factor 3 --config min.insync.replicas=2" in found.advice.splitlines()
    )


def test_commands_beyond_twenty_are_counted():
    (found,) = judged(wanted=[f"t{number}" for number in range(MAX_COMMANDS + 5)])

    assert found.advice.count("kafka-topics.sh") == MAX_COMMANDS
    assert found.advice.endswith("and so on for 5 more")


def test_a_cluster_of_one_broker_is_not_asked_for_three_replicas():
    command = create_command("a", Advice(bootstrap="k:1", brokers=1))

    assert command.endswith("--replication-factor 1")


def test_commands_for_a_secured_cluster_name_a_file_for_the_credentials():
    assert "--command-config client.properties" in create_command(
        "a", Advice(bootstrap="k:1", brokers=1, secured=True)
    )


@given(st.text())
def test_a_command_names_exactly_the_topic_whatever_it_is_called(name):
    words = shlex.split(create_command(name, ADVICE))

    assert words[words.index("--topic") + 1] == name


def test_missing_topics_are_well_where_brokers_create_them():
    (found,) = judged(wanted=["a"], advice=Advice("k:1", 1, lets_create=True, creates=True))

    assert found.level == "ok"


def test_missing_topics_are_a_problem_where_brokers_do_not_create_them():
    (found,) = judged(wanted=["a"], advice=Advice("k:1", 1, lets_create=True, creates=False))

    assert found.level == "problem"
    assert "auto.create.topics.enable=false" in found.text


def test_missing_topics_are_a_warning_where_nobody_knows():
    (found,) = judged(wanted=["a"], advice=Advice("k:1", 1, lets_create=True))

    assert found.level == "warning"


def test_topics_that_we_may_not_see_come_with_the_right_to_give():
    (found,) = judged(Topic("a", 29), advice=Advice("k:1", 1, username="alice"))

    assert found.level == "problem"
    assert "--allow-principal User:alice --operation Describe" in found.advice


def test_a_topic_with_another_error_is_told_with_kafkas_word():
    (found,) = judged(Topic("a", 17))

    assert found.text == "a cannot be used: INVALID_TOPIC_EXCEPTION."


def test_a_partition_without_a_leader_is_a_problem():
    findings = judged(Topic("a", 5, [WHOLE, Partition(leader=-1, replicas=3, in_sync=0)]))

    assert [each.level for each in findings] == ["ok", "problem"]
    assert "without a leader: a" in findings[1].text


def test_replicas_out_of_sync_are_a_warning():
    findings = judged(Topic("a", 0, [Partition(leader=1, replicas=3, in_sync=2)]))

    assert "not in sync: a" in findings[1].text


def test_one_replica_is_a_warning_only_where_there_could_be_more():
    topic = Topic("a", 0, [Partition(leader=1, replicas=1, in_sync=1)])

    among_three = judged(topic)
    alone = judged(topic, advice=Advice("k:1", brokers=1))

    assert "one broker only although there are 3: a" in among_three[1].text
    assert [each.level for each in alone] == ["ok"]
