"""The command itself, on files and pipes; Kafka's part is tested in tests/kafka."""

import argparse
import json
import signal
import subprocess

import pytest

from app.commands import consume
from app.core.errors import ConfigError
from tests.app.consuming.conftest import text_of
from tests.support import SLUICEWAY, environment, sluiceway, until


def parsed(*args):
    parser = argparse.ArgumentParser()
    consume.add_arguments(parser)
    return parser.parse_args(args)


def stored(folder, stream="eventlogging_DemoButtonClick"):
    done = sluiceway(folder, "log", "--json", "--stream", stream)
    return [json.loads(each)["event"] for each in done.stdout.splitlines()]


@pytest.mark.slow
def test_a_file_goes_into_the_sink_of_the_settings_and_a_second_time_with_the_same_ids(tmp_path):
    (tmp_path / "lines").write_bytes(b"\n".join(map(text_of, range(1_200))))

    first = sluiceway(tmp_path, "consume", "--file", "lines")
    second = sluiceway(tmp_path, "consume", "--file", "lines")

    assert (first.returncode, second.returncode, first.stdout) == (0, 0, "")
    assert "lines=1200, accepted=1200, invalid=0, retried=0, seconds=" in first.stderr
    events = stored(tmp_path)
    assert [event["revision"] for event in events] == [*range(1_200)] * 2
    assert events[0]["dt"] == "2018-03-04T05:06:07.000Z"
    assert len({event["meta"]["id"] for event in events}) == 1_200


@pytest.mark.slow
def test_refused_lines_are_told_of_on_the_error_stream_and_by_the_exit_code(tmp_path):
    (tmp_path / "lines").write_bytes(text_of(1) + b"\njunk\n")

    done = sluiceway(tmp_path, "consume", "--file", "lines", "--format", "2018-02")

    assert done.returncode == 1
    assert "accepted=1, invalid=1" in done.stderr
    assert [error["reason"] for error in stored(tmp_path, "sluiceway.error")] == ["malformed"]


@pytest.mark.slow
def test_a_pipe_is_consumed_as_it_comes_and_a_signal_ends_it(tmp_path):
    with subprocess.Popen(
        [*SLUICEWAY, "consume", "--file", "-"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(text_of(1) + b"\n")
        process.stdin.flush()
        until(lambda: (tmp_path / "sluiceway.db").exists() and len(stored(tmp_path)) == 1)
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
        said = process.stderr.read().decode()

    assert code == 1
    assert "Stopped before the end" in said
    assert "(line=2)" in said
    assert "lines=1, accepted=1" in said


@pytest.mark.slow
def test_a_spool_is_not_used_since_the_lines_wait_where_they_are(tmp_path):
    (tmp_path / "lines").write_bytes(text_of(1))
    settings = {
        "sink": {"type": "kafka", "bootstrap_servers": ["127.0.0.1:1"], "silence": 0.5},
        "spool": {"folder": str(tmp_path / "spool")},
    }
    (tmp_path / "settings.yaml").write_text(json.dumps(settings))
    (tmp_path / "spool").mkdir()

    with subprocess.Popen(
        [*SLUICEWAY, "consume", "--file", "lines", "--config", "settings.yaml"],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = iter(process.stderr.readline, "")
        refused = next(line for line in said if "Lines could not be taken now" in line)
        process.send_signal(signal.SIGINT)
        code = process.wait(30)

    assert "reasons=sink_unavailable" in refused
    assert code == 1
    assert not any((tmp_path / "spool").iterdir())


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ([], "Say where the lines are"),
        (["--kafka", "a:1", "--topic", "t", "--file", "x"], "Say where the lines are"),
        (["--kafka", "a:1"], "--kafka goes with --topic"),
        (["--topic", "t", "--group", "g", "--from", "latest", "--file", "x"], "--topic, --group, "),
        (["--kafka", "a:1", "--topic", "t", "--group", ""], "a group needs a name"),
        (["--kafka", "a:b", "--topic", "t"], "--kafka: 'a:b' is no address"),
        (["--kafka", "a:1,", "--topic", "t"], "--kafka: '' is no address"),
        (["--file", "x", "--format", "%x"], "--format: "),
        (["--file", "nowhere"], "nowhere cannot be read: No such file"),
        (["--file", "."], "cannot be read: Is a directory"),
        (["--file", "x", "--config", "nowhere"], "nowhere cannot be read"),
    ],
)
def test_wrong_calls_are_said_to_be_so(args, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match=problem):
        consume.run(parsed(*args))
