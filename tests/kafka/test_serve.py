"""`sluiceway serve --kafka` as a newcomer would use it, on a real broker."""

import json
import signal

from tests.kafka.reading import read_all
from tests.support import served, sluiceway, until

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
TOPICS = ("demo.button.click", "sluiceway.error")


def test_the_demo_runs_on_kafka(make_cluster, tmp_path):
    cluster = make_cluster()
    for topic in TOPICS:
        cluster.admin.create_topic(topic)

    with served(tmp_path, "--kafka", cluster.bootstrap) as service:
        announced = service.output + service.process.stdout.readline()
        stored = service.post(GOOD)
        mixed = service.post([GOOD, GOOD | {"button": 7}])
        hasty = service.post(GOOD, "/v1/events?hasty=true")
        missing = service.post(GOOD | {"meta": {"stream": "demo.page.view"}, "$schema": "/x/1.0.0"})
        metrics = service.get("/metrics")[1].decode()
        ended = service.stop(signal.SIGTERM)
    events = [json.loads(m.value) for m in read_all(cluster.bootstrap, [TOPICS[0]])]
    errors = [json.loads(m.value) for m in read_all(cluster.bootstrap, [TOPICS[1]])]

    assert f"kafka {cluster.bootstrap}" in announced
    assert (stored[0], mixed[0], missing[0], ended) == (201, 207, 400, 0)
    assert (hasty[0], json.loads(hasty[1])) == (202, {"durability": "none"})
    assert len(events) == 3
    assert {e["reason"] for e in errors} >= {"schema_violation"}
    assert 'sluiceway_kafka_up{lane="guaranteed"} 1.0' in metrics
    assert 'sluiceway_receipts_total{receipt="acked"} 2.0' in metrics
    assert 'sluiceway_receipts_total{receipt="invalid"}' in metrics


def test_all_topics_missing_is_said_by_the_doctor_and_in_the_answer(make_cluster, tmp_path):
    cluster = make_cluster()

    doctor = sluiceway(tmp_path, "doctor", "--kafka", cluster.bootstrap)
    with served(tmp_path, "--kafka", cluster.bootstrap) as service:
        status, body = service.post(GOOD)
    cluster.admin.create_topic(TOPICS[0])
    with served(tmp_path, "--kafka", cluster.bootstrap) as service:
        until(lambda: service.post(GOOD)[0] == 201)

    assert doctor.returncode == 1
    assert "kafka-topics.sh" in doctor.stdout
    assert TOPICS[0] in doctor.stdout
    (entry,) = json.loads(body)["error"]
    assert (status, entry["reason"]) == (503, "topic_unavailable")
    assert "kafka-topics.sh" in entry["hint"]
