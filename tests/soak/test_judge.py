from collections import Counter

import pytest

from tests.kafka.ledger import ledger_of
from tests.kafka.load import Sent
from tests.kafka.reading import Message
from tests.soak import judge
from tests.soak.watch import Sample, Worker


def failed(checks):
    return [check.name for check in checks if not check.passed]


def message(topic="a", event_id="1"):
    value = b'{"meta": {"id": "%s"}, "client": "c", "seq": 0}' % event_id.encode()
    return Message(topic, 0, 0, None, value, 0, ())


def sample(at, *, rss=100_000_000, fds=50, pids=(1, 2), series=300):
    workers = tuple(Worker(pid, rss, fds, 5) for pid in pids)
    return Sample(at, workers, 10, 0.01, 0.02, series, 0, 1, 16, 1)


@pytest.mark.parametrize(
    ("told", "messages", "wrong"),
    [
        ("201", [message()], []),
        ("202", [message(), message()], []),
        ("503", [message()], []),
        ("201", [], ["events lost", "events were accepted"]),
        ("202", [], ["events lost", "events were accepted"]),
        ("400", [message()], ["events falsely accepted"]),
        ("201", [message(), message()], ["doubles of events told 201"]),
    ],
)
def test_the_ledger_is_judged(told, messages, wrong):
    sent = {"1": Sent("a", "c", 0, told)}

    assert failed(judge.of_ledger(ledger_of("x", sent, messages))) == wrong


def test_answers_are_judged_by_what_they_should_have_been():
    sent = {"good": Sent("a", "c", 0, "400"), "bad": Sent("a", "c", 1, "201")}

    wrong = judge.of_answers(sent, {"bad"}, Counter({("bomb", 500): 1, ("bomb", 413): 5}))
    right = judge.of_answers(sent, {"good"}, Counter({("bomb", 413): 5, ("bomb", 503): 5}))

    assert len(failed(wrong)) == 3
    assert failed(right[:1]) == failed(right[2:]) == []


def test_an_event_in_another_topic_and_a_topic_too_many_are_found():
    sent = {"1": Sent("a", "c", 0, "201")}

    assert failed(judge.of_routes(sent, [(message("a"), "1")], [])) == []
    wrong = judge.of_routes(sent, [(message("b"), "1")], ["soak.n1"])
    assert [check.seen for check in wrong] == ["a in b: 1", "soak.n1"]
    assert len(failed(wrong)) == 2


@pytest.mark.parametrize(
    ("end", "wrong"),
    [
        ({}, []),
        ({"rss": 119_000_000, "fds": 60}, []),
        ({"rss": 121_000_000}, ["memory of a worker is back"]),
        ({"fds": 61}, ["descriptors of a worker is back"]),
        ({"pids": (1,)}, ["workers at the end"]),
    ],
)
def test_memory_and_descriptors_have_to_come_back(end, wrong):
    samples = [sample(at) for at in range(1, 31)]
    samples += [sample(at, rss=400_000_000, fds=500) for at in range(31, 60)]
    samples += [sample(at, **end) for at in range(60, 80)]

    assert failed(judge.of_processes(samples, 30.0, 2)) == wrong


def test_metrics_have_to_be_served_and_bounded():
    assert failed(judge.of_metrics([sample(1)], 1, [])) == []
    assert failed(judge.of_metrics([sample(1)], 0, [])) == ["/metrics was served throughout"]
    assert failed(judge.of_metrics([sample(1)], 9, [5.0])) == ["/metrics was served throughout"]
    assert failed(judge.of_metrics([sample(1, series=5_001)], 1, [])) == [
        "series of metrics are bounded"
    ]


def test_logs_may_hold_neither_secrets_nor_defects():
    secrets = {"an event body": "m4rk", "a secret": "s3cr3t"}

    assert failed(judge.of_logs(["fine\n"], secrets)) == []
    assert failed(judge.of_logs(["x m4rk\n", "y s3cr3t\n"], secrets)) == [
        "an event body in the logs",
        "a secret in the logs",
    ]
    assert failed(judge.of_logs(['{"traceback": "…"}\n'], secrets)) == ["no defect is in the logs"]
    assert failed(judge.of_logs([], secrets)) == ["the service said something"]
