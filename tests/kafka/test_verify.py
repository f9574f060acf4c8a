"""`sluiceway migrate verify` on traffic that lies in a topic of a real broker."""

import json
import subprocess

from tests.kafka.test_consume import PARTITIONS, line, settings_of, write
from tests.support import SLUICEWAY, environment

OLD = {"properties": {"button": {"type": "string", "required": True}}}


def verify(folder, *traffic):
    return subprocess.run(
        [
            *(*SLUICEWAY, "migrate", "verify", *traffic, "--config", "settings.yaml"),
            *("--old-schemas", "wiki", "--out", "report.json", "--jobs", "1"),
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def prepared(folder, topic, bootstrap):
    settings_of(folder, topic, bootstrap)
    (folder / "wiki").mkdir()
    for revision in (1, 2):
        (folder / "wiki" / f"DemoButtonClick-{revision}.json").write_text(json.dumps(OLD))


def matrices(report):
    return {name: found["matrix"] for name, found in report["schemas"].items()}


def test_a_topic_is_replayed_up_to_its_end_with_the_report_that_a_file_gets(kafka, topic, tmp_path):
    prepared(tmp_path, topic, kafka.bootstrap)
    kafka.admin.create_topic(topic, PARTITIONS)
    lines = [1, 2, 1, "junk", 2, 1, 2]
    write(kafka.bootstrap, topic, lines)
    (tmp_path / "recorded").write_text(
        "".join(f"{each if isinstance(each, str) else line(each)}\n" for each in lines)
    )

    from_topic = verify(tmp_path, "--kafka", kafka.bootstrap, "--topic", topic)
    assert from_topic.returncode == 0, from_topic.stderr
    counted = json.loads((tmp_path / "report.json").read_text())
    from_file = verify(tmp_path, "recorded")
    expected = json.loads((tmp_path / "report.json").read_text())

    assert from_file.returncode == 0, from_file.stderr
    assert counted["totals"] == expected["totals"]
    assert counted["totals"]["lines"] == 7
    assert matrices(counted) == matrices(expected)


def test_a_topic_that_does_not_exist_is_said(kafka, topic, tmp_path):
    prepared(tmp_path, topic, kafka.bootstrap)

    ran = verify(tmp_path, "--kafka", kafka.bootstrap, "--topic", topic)

    assert ran.returncode == 2, ran.stderr
    assert "there is no such topic" in ran.stderr
