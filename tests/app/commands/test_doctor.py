import json
import signal
import socket
import subprocess
import sys

import pytest

from app.commands.doctor import _as_text
from app.diagnosis.findings import ok, problem
from tests.support import SLUICEWAY, environment, sluiceway


@pytest.fixture
def config(tmp_path):
    """Write settings; return the arguments that name them."""

    def config(text: str) -> list[str]:
        (tmp_path / "settings.yaml").write_text(text)
        return ["--config", "settings.yaml"]

    return config


def test_a_service_without_problems_exits_with_0_and_leaves_nothing_behind(tmp_path):
    done = sluiceway(tmp_path, "doctor")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "ok       schemas   3 schemas of streams can be had." in done.stdout
    assert done.stdout.splitlines()[-1].startswith("0 problems, ")
    assert list(tmp_path.iterdir()) == []


def test_problems_exit_with_1_and_say_what_to_do(tmp_path, config):
    done = sluiceway(tmp_path, "doctor", *config("legacy: {mapping: none.yaml}"))

    lines = done.stdout.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("problem  settings  legacy"))
    assert done.returncode == 1
    assert lines[place + 1] == " " * 19 + "Mend this; the service does not start like this."


def test_settings_that_cannot_be_read_exit_with_2(tmp_path, config):
    done = sluiceway(tmp_path, "doctor", *config("sink: {typ: sqlite}"))

    assert done.returncode == 2
    assert "there is no such setting" in done.stderr
    assert done.stdout == ""


def test_a_cluster_can_be_named_on_the_command_line(tmp_path):
    done = sluiceway(tmp_path, "doctor", "--kafka", "127.0.0.1:1,nothing.invalid:9092")

    assert done.returncode == 1
    assert "127.0.0.1:1: the connection was refused." in done.stdout
    assert "nothing.invalid does not resolve" in done.stdout
    assert done.stderr == ""


def test_json_has_every_finding(tmp_path, config):
    done = sluiceway(tmp_path, "doctor", "--json", *config("sink: {type: memory}"))

    report = json.loads(done.stdout)
    assert report["problems"] == 0
    assert report["warnings"] == sum(f["level"] == "warning" for f in report["findings"])
    (sink,) = [found for found in report["findings"] if found["area"] == "sink"]
    assert sink.keys() == {"level", "area", "text", "advice"}


def test_advice_of_several_lines_is_indented_line_by_line():
    text = _as_text([problem("topics", "It is so.", "Do:\n  this"), ok("kafka", "Well.")])

    assert text.splitlines() == [
        "problem  topics    It is so.",
        " " * 19 + "Do:",
        " " * 21 + "this",
        "ok       kafka     Well.",
        "1 problem, 0 warnings.",
    ]


def test_an_interrupt_ends_it_without_a_traceback(tmp_path, config):
    """The stream configuration is a server that says nothing, so it is still waiting then."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"http://127.0.0.1:{server.getsockname()[1]}/s"
        settings = config(f"schemas: {{base_uris: [.]}}\nstreams: {{uri: '{uri}'}}")
        with subprocess.Popen(
            [*SLUICEWAY, "doctor", *settings],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            server.settimeout(30)
            connection, _ = server.accept()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
            connection.close()

    assert process.returncode == 130
    assert (out, err) == ("", "")


def test_a_thread_that_nothing_can_end_does_not_keep_the_process():
    script = (
        "import threading\n"
        "from app.commands.doctor import _leave_if_stuck\n"
        "stuck = threading.Thread(target=threading.Event().wait)\n"
        "stuck.start()\n"
        "_leave_if_stuck({stuck}, 1)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), timeout=20, check=False
    )

    assert done.returncode == 1
