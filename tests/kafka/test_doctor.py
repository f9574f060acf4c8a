"""`sluiceway doctor` against real brokers."""

import json

from tests.kafka.security import USERS
from tests.support import ROOT, sluiceway

STREAM = "{name}: {{schema_title: demo/button/click}}\n"


def doctor(folder, kafka, *topics, **sink):
    """Run the command for streams of these names; return the exit code and what was found."""
    settings = {
        "schemas": {"base_uris": [str(ROOT / "app/demo/schemas")]},
        "streams": {"uri": "streams.yaml"},
        "error_stream": {"name": None},
        "sink": {"type": "kafka", "bootstrap_servers": kafka.split(","), **sink},
    }
    (folder / "settings.yaml").write_text(json.dumps(settings))
    (folder / "streams.yaml").write_text("".join(STREAM.format(name=name) for name in topics))
    done = sluiceway(folder, "doctor", "--json", "--config", "settings.yaml")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)["findings"]


def texts(findings, area, level):
    return [each["text"] for each in findings if (each["area"], each["level"]) == (area, level)]


def test_a_cluster_with_its_topic_is_well(kafka, topic, tmp_path):
    kafka.admin.create_topic(topic, partitions=2)

    code, found = doctor(tmp_path, kafka.bootstrap, topic)

    assert code == 0
    assert texts(found, "kafka", "problem") == texts(found, "topics", "problem") == []
    assert texts(found, "topics", "ok")[0].startswith("1 topic with 2 partitions")
    assert any("gives out a producer id" in text for text in texts(found, "kafka", "ok"))


def test_a_topic_that_is_missing_is_a_problem_and_stays_missing(kafka, topic, tmp_path):
    code, found = doctor(tmp_path, kafka.bootstrap, topic)

    (missing,) = [each for each in found if each["area"] == "topics"]
    assert code == 1
    assert missing["level"] == "problem"
    assert f"--create --topic {topic} " in missing["advice"]
    assert topic not in kafka.admin.topics()


def test_how_a_topic_is_configured_is_looked_at(kafka, topic, tmp_path):
    config = {"cleanup.policy": "compact", "max.message.bytes": "5000"}
    kafka.admin.create_topic(topic, config=config)

    code, found = doctor(tmp_path, kafka.bootstrap, topic)

    assert code == 1
    assert any(text.startswith("Compacted") for text in texts(found, "topics", "problem"))
    assert any("max.message.bytes is 5,000" in text for text in texts(found, "topics", "warning"))


def test_whether_brokers_create_topics_is_found_out(kafka, topic, tmp_path):
    _, found = doctor(tmp_path, kafka.bootstrap, topic, create_topics=True)

    (finding,) = [each for each in found if each["area"] == "topics"]
    assert "yet; brokers create them" in finding["text"] or "do not create" in finding["text"]


def test_a_user_is_let_in_over_tls(secure_kafka, topic, tmp_path):
    secure_kafka.admin.create_topic(topic)

    _, found = doctor(tmp_path, secure_kafka.secure_bootstrap, topic, **secured(secure_kafka))

    assert texts(found, "kafka", "problem") == []
    assert texts(found, "topics", "ok") != []


def test_a_wrong_password_is_told_from_a_dead_broker(secure_kafka, topic, tmp_path):
    sink = secured(secure_kafka, password="wrong")

    code, found = doctor(tmp_path, secure_kafka.secure_bootstrap, topic, **sink)

    assert code == 1
    assert "does not let us in as alice" in texts(found, "kafka", "problem")[0]


def test_a_certificate_that_is_not_trusted_is_said_to_be_the_trouble(secure_kafka, topic, tmp_path):
    sink = secured(secure_kafka)
    del sink["tls"]["ca_file"]

    _, found = doctor(tmp_path, secure_kafka.secure_bootstrap, topic, **sink)

    assert "its certificate is not accepted" in texts(found, "kafka", "problem")[0]


def test_a_port_with_tls_that_is_spoken_to_without_is_told_as_that(secure_kafka, topic, tmp_path):
    _, found = doctor(tmp_path, secure_kafka.secure_bootstrap, topic)

    (finding,) = [each for each in found if each["area"] == "kafka"]
    assert finding["level"] == "problem"
    assert "sink.security_protocol" in finding["advice"]


def test_a_topic_that_a_user_may_not_write_comes_with_the_right_to_give(
    secure_kafka, topic, tmp_path
):
    secure_kafka.admin.create_topic(topic)
    secure_kafka.admin.forbid(topic, "alice")

    _, found = doctor(tmp_path, secure_kafka.secure_bootstrap, topic, **secured(secure_kafka))

    (finding,) = [each for each in found if (each["area"], each["level"]) == ("topics", "problem")]
    assert topic in finding["text"]
    assert (
        "--allow-principal User:alice --operation Describe --operation Write" in finding["advice"]
    )


def test_a_broker_that_is_down_is_said_so_and_topics_lack_replicas(make_cluster, topic, tmp_path):
    cluster = make_cluster(nodes=3)
    cluster.admin.create_topic(topic, replication=3, config={"min.insync.replicas": "2"})
    cluster.brokers[2].stop()

    code, found = doctor(tmp_path, cluster.bootstrap, topic)

    assert code == 0
    assert any("refused" in text for text in texts(found, "kafka", "warning"))
    assert any("not in sync" in text for text in texts(found, "topics", "warning"))


def secured(cluster, password=USERS["alice"]):
    return {
        "security_protocol": "SASL_SSL",
        "tls": {"ca_file": str(cluster.certificate)},
        "sasl": {"mechanism": "SCRAM-SHA-512", "username": "alice", "password": password},
    }
